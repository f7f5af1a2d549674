import type { Config } from './contract.ts'
import { copyOf, find, setText } from './dom.ts'
import { LANGUAGES, type Language, type Word } from './language.ts'

export type User = Config['users'][number]

const isWord = (word: string): word is Word => Object.hasOwn(LANGUAGES.en, word)

/** A text of the page for a name that came from elsewhere, or what that place says itself. */
export function known({ say }: Language, word: string, fallback: string): string {
  return isWord(word) ? say(word) : fallback
}

/** The people that a visitor may be. */
export function createUserPanel(users: Config['users'], onChoose: (user: User) => void) {
  const group = find('#users', HTMLElement)
  const buttons = users.map((user) => {
    const button = copyOf('user-choice')
    button.dataset.user = user.id
    button.addEventListener('click', () => onChoose(user))
    group.append(button)
    return { user, button }
  })
  return {
    show(language: Language, signedIn: User | undefined): void {
      for (const { user, button } of buttons) {
        button.setAttribute('aria-pressed', String(user === signedIn))
        setText(find('.choice-name', HTMLElement, button), user.name)
        setText(find('.choice-help', HTMLElement, button), known(language, `user_${user.id}`, user.scope))
      }
    },
  }
}
