// What a person did wrong and can mend: carried to the client as a message, never as a stack trace.

export class UserError extends Error {
  override name = 'UserError';
}
