import type { Vended } from './contract.ts'
import type { Language, Piece, Word } from './language.ts'

const WORDS: Readonly<Record<string, Word>> = {
  'oss:PutObject': 'actionPutObject',
  'oss:AbortMultipartUpload': 'actionAbortMultipartUpload',
  'oss:GetObject': 'actionGetObject',
  'oss:ListBucket': 'actionListBucket',
  'oss:DeleteObject': 'actionDeleteObject',
  'oss:ListMultipartUploadParts': 'actionListMultipartUploadParts',
}

/** Named when they are missing, because people expect them. */
const EXPECTED = ['oss:PutObject', 'oss:GetObject', 'oss:ListBucket', 'oss:DeleteObject']

/** An action in plain words; one that the page does not know keeps its name. */
export function actionWord({ say }: Language, action: string): string {
  const word = WORDS[action]
  return word ? say(word) : action
}

/** Whether a grant allows an action. A `*` in the grant stands for any text. */
export function allows({ grant }: Vended, action: string): boolean {
  return grant.actions.some((pattern) => {
    const parts = pattern.split('*').map((part) => part.replace(/[^\w:]/gu, '\\$&'))
    return new RegExp(`^${parts.join('.*')}$`, 'iu').test(action)
  })
}

/** A grant as two sentences. */
export function describeGrant(
  language: Language,
  vended: Vended,
): Readonly<{ may: readonly Piece[]; mayNot: readonly Piece[] }> {
  const { say, pieces, all, any, time } = language
  const { grant, oss, credentials } = vended
  const missing = EXPECTED.filter((action) => !allows(vended, action))
  const prefixes = any(oss.prefixes.map((prefix) => prefix || say('wholeBucket')))
  return {
    may: pieces('grantMay', {
      can: all(grant.actions.map((action) => actionWord(language, action))),
      prefixes,
      time: time(new Date(credentials.expiration)),
    }),
    mayNot:
      missing.length > 0 ? pieces('grantMayNot', { cannot: any(missing.map((one) => actionWord(language, one))) }) : [],
  }
}
