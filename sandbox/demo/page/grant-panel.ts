import type { Vended } from './contract.ts'
import { find, setText } from './dom.ts'
import { allows, describeGrant } from './grant-words.ts'
import type { Language, Piece, Word } from './language.ts'

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
  showGranted(true)
}

const nodeOf = ({ text, isValue }: Piece) => (isValue ? textElement('b', text) : text)

function textElement(name: 'b' | 'dt' | 'dd', text: string): HTMLElement {
  const element = document.createElement(name)
  element.textContent = text
  return element
}

/** Shows the panels that need credentials, or else how it all works. Files that are on their way stay in sight. */
export function showGranted(granted: boolean): void {
  find('#granted', HTMLElement).hidden = !granted
  find('#try-panel', HTMLElement).hidden = !granted
  find('#how', HTMLElement).hidden = granted
}
