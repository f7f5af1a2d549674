import { createHash } from 'node:crypto'

/**
 * The session's name in JD Cloud's operation audit: `<template>@<subject>`, or `<template>@<issuer>.<subject>` if several
 * issuers are configured. `=` and a hash of issuer and subject replace a subject that does not fit the grammar.
 *
 * Two callers never share a name. A template has no `@` and an issuer no `.`, so the parts cannot run together. A readable
 * name never starts with `=`, so nobody can choose a subject that looks like another caller's hash.
 */
export function sessionName(
  template: string,
  caller: Readonly<{ issuer: string; subject: string }>,
  severalIssuers: boolean,
): string {
  const readable = severalIssuers ? `${caller.issuer}.${caller.subject}` : caller.subject
  const name = `${template}@${readable}`
  // The grammar is not documented: every known one has these characters.
  if (!readable.startsWith('=') && /^[A-Za-z0-9_=,.@-]{2,64}$/u.test(name)) return name
  const hash = createHash('sha256')
    .update(JSON.stringify([caller.issuer, caller.subject]))
    .digest('base64url')
  return `${template}@=${hash.slice(0, 27)}`
}
