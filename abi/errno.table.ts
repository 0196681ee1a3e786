// The error numbers of the Xen interface (public/errno.h): Linux's numbers, whatever the guest's own system uses.
// A hypercall returns the negative number. EINTR and ERESTART are missing: Xen uses them inside only.

interface ErrnoRow {
  readonly name: string;
  readonly number: number;
  readonly meaning: string;
  /** Second name of a number that another row has. */
  readonly alias?: true;
}

export const errnos = [
  { name: 'EPERM', number: 1, meaning: 'operation not permitted' },
  { name: 'ENOENT', number: 2, meaning: 'no such object' },
  { name: 'ESRCH', number: 3, meaning: 'no such domain' },
  { name: 'EIO', number: 5, meaning: 'input/output error' },
  { name: 'ENXIO', number: 6, meaning: 'no such device or address' },
  { name: 'E2BIG', number: 7, meaning: 'argument list too long' },
  { name: 'ENOEXEC', number: 8, meaning: 'executable format error' },
  { name: 'EBADF', number: 9, meaning: 'bad handle' },
  { name: 'ECHILD', number: 10, meaning: 'no child' },
  { name: 'EAGAIN', number: 11, meaning: 'try again' },
  { name: 'EWOULDBLOCK', number: 11, meaning: 'operation would block', alias: true },
  { name: 'ENOMEM', number: 12, meaning: 'out of memory' },
  { name: 'EACCES', number: 13, meaning: 'permission denied' },
  { name: 'EFAULT', number: 14, meaning: 'an address given by the guest cannot be read or written' },
  { name: 'EBUSY', number: 16, meaning: 'the object is in use' },
  { name: 'EEXIST', number: 17, meaning: 'exists already' },
  { name: 'EXDEV', number: 18, meaning: 'objects belong to different owners' },
  { name: 'ENODEV', number: 19, meaning: 'no such device' },
  { name: 'ENOTDIR', number: 20, meaning: 'not a directory' },
  { name: 'EISDIR', number: 21, meaning: 'is a directory' },
  { name: 'EINVAL', number: 22, meaning: 'invalid argument' },
  { name: 'ENFILE', number: 23, meaning: 'system-wide table is full' },
  { name: 'EMFILE', number: 24, meaning: 'too many open handles' },
  { name: 'ENOSPC', number: 28, meaning: 'no space left' },
  { name: 'EROFS', number: 30, meaning: 'read-only' },
  { name: 'EMLINK', number: 31, meaning: 'too many links' },
  { name: 'EDOM', number: 33, meaning: 'argument outside the domain of the function' },
  { name: 'ERANGE', number: 34, meaning: 'result out of range' },
  { name: 'EDEADLK', number: 35, meaning: 'would deadlock' },
  { name: 'EDEADLOCK', number: 35, meaning: 'would deadlock', alias: true },
  { name: 'ENAMETOOLONG', number: 36, meaning: 'name too long' },
  { name: 'ENOLCK', number: 37, meaning: 'no lock available' },
  { name: 'ENOSYS', number: 38, meaning: 'the call or sub-operation does not exist here' },
  { name: 'ENOTEMPTY', number: 39, meaning: 'directory not empty' },
  { name: 'ENODATA', number: 61, meaning: 'no data available' },
  { name: 'ETIME', number: 62, meaning: 'the time given is in the past' },
  { name: 'EBADMSG', number: 74, meaning: 'not a message' },
  { name: 'EOVERFLOW', number: 75, meaning: 'value too large for its type' },
  { name: 'EILSEQ', number: 84, meaning: 'illegal byte sequence' },
  { name: 'ENOTSOCK', number: 88, meaning: 'not a socket' },
  { name: 'EMSGSIZE', number: 90, meaning: 'message too large' },
  { name: 'EOPNOTSUPP', number: 95, meaning: 'not supported by this object or build' },
  { name: 'EADDRINUSE', number: 98, meaning: 'address in use' },
  { name: 'EADDRNOTAVAIL', number: 99, meaning: 'address not available' },
  { name: 'ENOBUFS', number: 105, meaning: 'no buffer space' },
  { name: 'EISCONN', number: 106, meaning: 'already connected' },
  { name: 'ENOTCONN', number: 107, meaning: 'not connected' },
  { name: 'ETIMEDOUT', number: 110, meaning: 'timed out' },
  { name: 'ECONNREFUSED', number: 111, meaning: 'connection refused' },
] as const satisfies readonly ErrnoRow[];

export type ErrnoName = (typeof errnos)[number]['name'];
