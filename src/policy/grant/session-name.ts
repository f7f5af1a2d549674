import { createHash } from 'node:crypto'

/** The longest name of a session. */
const MAX_CHARACTERS = 64
/** Stands between the caller and its label; no caller's readable form has it or could run into it. */
const BEFORE_LABEL = '@@'

/**
 * The name under which JD Cloud's operation audit shows a session: `<template>@<subject>`, or `<template>@<issuer>.<subject>`
 * where several issuers are configured. A subject that does not fit the grammar is replaced by `=` and a hash of issuer
 * and subject. A label of the caller's own follows after `@@`, cut to what fits.
 *
 * Two callers never share a name, whatever their labels are. A template has no `@` and an issuer no `.`, so the parts
 * cannot run together, and the readable form never starts with `=`, so nobody can choose a subject that reads like another
 * caller's hash. Nor has it `@@` or ends with `@`, so nobody can choose a subject that reads like another caller's label.
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
  // The grammar is not documented: these are the characters that every known one has.
  const mistakable = readable.startsWith('=') || readable.includes(BEFORE_LABEL) || readable.endsWith('@')
  if (!mistakable && /^[A-Za-z0-9_=,.@-]{2,64}$/u.test(name)) return name
  const hash = createHash('sha256')
    .update(JSON.stringify([caller.issuer, caller.subject]))
    .digest('base64url')
  return `${template}@=${hash.slice(0, 27)}`
}
