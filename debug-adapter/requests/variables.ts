// scopes, variables, setVariable.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../../host/errors.ts';
import type { Answer, Family } from '../handler.ts';
import { scopesOf } from '../scopes.ts';

export const variableRequests: Family = {
  scopes: (session, args: DebugProtocol.ScopesArguments): Answer<DebugProtocol.ScopesResponse['body']> => ({
    body: { scopes: scopesOf(session, session.frames.get(args.frameId)) },
  }),
  variables: (session, args: DebugProtocol.VariablesArguments): Answer<DebugProtocol.VariablesResponse['body']> => ({
    body: { variables: session.references.get(args.variablesReference).children(args.start, args.count || undefined) },
  }),
  setVariable: (session, args: DebugProtocol.SetVariableArguments): Answer<DebugProtocol.SetVariableResponse['body']> => {
    session.host.mustBeStopped();
    const container = session.references.get(args.variablesReference);
    if (!container.set) throw new UserError('What Xen knows of a vCPU cannot be set; the guest changes it with hypercalls.');
    const value = container.set(args.name, args.value);
    return { body: { value }, after: () => session.edited() };
  },
};
