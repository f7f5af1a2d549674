import { createHash } from 'node:crypto'

/** The longest name of a session. */
const MAX_CHARACTERS = 64
/** Stands between the caller and its label; no caller's readable form has it or could run into it. */
const BEFORE_LABEL = '@@'

/**
 * The session's name in JD Cloud's operation audit: `<template>@<subject>`, or `<template>@<issuer>.<subject>` if several
 * issuers are configured. `=` and a hash of issuer and subject replace a subject that does not fit the grammar. A label of
 * the caller's own follows after `@@`, cut to fit.
 *
 * Two callers never share a name, whatever their labels. A template has no `@` and an issuer no `.`, so the parts cannot
 * run together. A readable name never starts with `=`, has no `@@` and does not end with `@`, so nobody can choose a
 * subject that looks like another caller's hash or label.
 */
export function sessionName(
  template: string,
  caller: Readonly<{ issuer: string; subject: string }>,
  severalIssuers: boolean,
  label?: string,
): string {
  const name = callerName(template, caller, severalIssuers)
  if (label === undefined) return name
  // AWS lets a session name have a `+`, JD Cloud perhaps not.
  const fitting = label
    .replace(/[^A-Za-z0-9_=,.@-]/gu, '_')
    .slice(0, MAX_CHARACTERS - name.length - BEFORE_LABEL.length)
  return fitting === '' || name.length + BEFORE_LABEL.length >= MAX_CHARACTERS
    ? name
    : `${name}${BEFORE_LABEL}${fitting}`
}

function callerName(
  template: string,
  caller: Readonly<{ issuer: string; subject: string }>,
  severalIssuers: boolean,
): string {
  const readable = severalIssuers ? `${caller.issuer}.${caller.subject}` : caller.subject
  const name = `${template}@${readable}`
  // The grammar is not documented: every known one has these characters.
  const mistakable = readable.startsWith('=') || readable.includes(BEFORE_LABEL) || readable.endsWith('@')
  if (!mistakable && /^[A-Za-z0-9_=,.@-]{2,64}$/u.test(name)) return name
  const hash = createHash('sha256')
    .update(JSON.stringify([caller.issuer, caller.subject]))
    .digest('base64url')
  return `${template}@=${hash.slice(0, 27)}`
}
