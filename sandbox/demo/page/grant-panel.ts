import { find, setText } from './dom.ts'
import { allows, describeGrant } from './grant-words.ts'
import type { Language, Piece, Word } from './language.ts'
import type { Vended } from './service.ts'

/** Shows what the credentials open, and hides what the grant leaves no use for. */
export function showGrant(language: Language, vended: Vended, renewedAt: Date | undefined): void {
  const { say, time } = language
  const { may, mayNot } = describeGrant(language, vended)
  find('#grant-may', HTMLElement).replaceChildren(...may.map(nodeOf))
  find('#grant-may-not', HTMLElement).replaceChildren(...mayNot.map(nodeOf))
  setText(
    find('#grant-renewal', HTMLElement),
    renewedAt ? say('grantRenewed', { time: time(renewedAt) }) : say('grantRenews'),
  )
  const { grant, credentials } = vended
  const rows: readonly (readonly [Word, readonly string[]])[] = [
    ['grantPolicy', [grant.policy]],
    ['grantSession', [grant.roleSessionName]],
    ['grantKey', [credentials.accessKey]],
    ['grantActions', grant.actions],
    ['grantResources', grant.resources],
  ]
  find('#grant-details', HTMLElement).replaceChildren(
    ...rows.flatMap(([word, values]) => [
      textElement('dt', say(word)),
      ...values.map((value) => textElement('dd', value)),
    ]),
  )
  const readable = allows(vended, 'oss:GetObject')
  find('#upload-panel', HTMLElement).hidden = !allows(vended, 'oss:PutObject')
  find('#read-panel', HTMLElement).hidden = !readable
  find('#try-read', HTMLElement).hidden = readable
  find('#granted', HTMLElement).hidden = false
  find('#how', HTMLElement).hidden = true
}

const nodeOf = ({ text, isValue }: Piece) => (isValue ? textElement('b', text) : text)

function textElement(name: 'b' | 'dt' | 'dd', text: string): HTMLElement {
  const element = document.createElement(name)
  element.textContent = text
  return element
}
