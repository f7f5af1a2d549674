import { printable } from '../../policy/template/finding.ts'
import { createPaint, type Io, writeJson } from '../io.ts'
import type { IamPolicy } from './documents.ts'
import type { DocumentName, RoleDocuments } from './roles.ts'

/**
 * The limit of a policy, by JD Cloud's SDK and by AWS. AWS does not count white space, JD Cloud does not say whether it
 * does. The answer is the same for both: without it, the policy must fit.
 */
const MOST_CHARACTERS = 6144

/** Prints documents to standard output, each after a heading on standard error. */
export function showDocuments(
  io: Io,
  role: RoleDocuments,
  documents: readonly DocumentName[],
  user: string | undefined,
  fromFile: boolean,
): void {
  const paint = createPaint(io.terminal.err)
  const show = (heading: string, notes: readonly string[], policy: IamPolicy | undefined) => {
    io.err([paint.bold(`# ${printable(heading)}`), ...notes.map((note) => `# ${printable(note)}`), ''].join('\n'))
    if (policy) writeJson(io, policy)
  }
  for (const document of documents) {
    if (document === 'role') show(`Permissions of ${role.role}`, notesOn(role, fromFile), role.permissions)
    else if (document === 'trust')
      show(`Trust of ${role.role}: who may assume it`, trustNotes(role, user), role.trust())
    else show(`Permissions of ${user === undefined ? 'the sub-user' : `the sub-user ${user}`}`, USER_NOTES, role.user)
  }
}

const USER_NOTES = ['Give it this policy and no other, and no login to the console.']

function notesOn(role: RoleDocuments, fromFile: boolean): readonly string[] {
  const { templates, targets, permissions, kind } = role
  if (!permissions) return [`No template leads to ${targets.join(' or ')}, so the role needs no permissions.`]
  const [printed, compact] = [JSON.stringify(permissions, null, 2).length, JSON.stringify(permissions).length]
  return [
    `They cover the templates ${templates.join(', ')}, and no more.`,
    ...sessionNotes(role, fromFile),
    ...(compact > MOST_CHARACTERS
      ? [`It has ${compact} characters without white space, and a policy at most ${MOST_CHARACTERS}. ${SPLIT}`]
      : []),
    ...(kind === 'jdcloud' && compact <= MOST_CHARACTERS && printed > MOST_CHARACTERS
      ? [`Take the white space out, for example by jq -c: a policy has at most ${MOST_CHARACTERS} characters.`]
      : []),
  ]
}

/** The service shortens what templates ask for. Without a word, nobody would learn here that they ask for more. */
function sessionNotes({ kind, sessionSeconds, wantedSeconds = 0 }: RoleDocuments, fromFile: boolean): string[] {
  const needed = `The role must allow sessions of ${sessionSeconds} seconds.`
  if (wantedSeconds <= (sessionSeconds ?? 0)) return [needed]
  const variable = kind === 'jdcloud' ? 'JDCLOUD_MAX_SESSION_SECONDS' : 'AWS_STS_MAX_SESSION_SECONDS'
  const setting = fromFile ? 'maxSessionSeconds of the target' : variable
  const both = `allow those in the role, and set ${setting} to ${wantedSeconds}`
  return [needed, `A template asks for ${wantedSeconds}: ${both}, or callers receive shorter sessions.`]
}

const SPLIT = 'Give the role several policies, each with some of the statements. A role takes ten.'

function trustNotes({ kind }: RoleDocuments, user: string | undefined): readonly string[] {
  return [
    ...(user === undefined
      ? ['Every user of the account whose own policy allows it. --user <name> narrows it to one user.']
      : []),
    ...(kind === 'jdcloud'
      ? ["Nobody has tried this form: compare it with the console's own before you replace that. See docs/iam.md."]
      : []),
  ]
}
