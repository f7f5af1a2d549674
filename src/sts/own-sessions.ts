/**
 * Names in the operation audit of JD Cloud of sessions that belong to no caller. They have no `@`, which every caller's
 * name has, so no subject looks like one of them.
 */
export const KEY_PROBE_SESSION = 'oss-vend-key-probe'
export const DOCTOR_SESSION = 'oss-vend-doctor'

/** The doctor's session with the policy of a template. */
export const doctorSession = (template: string): string => `${template}.${DOCTOR_SESSION}`
