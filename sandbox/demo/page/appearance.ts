import { find } from './dom.ts'
import { createLanguage, firstLanguage, LANGUAGES, type Language, type LanguageName, type Word } from './language.ts'

const LANGUAGE_KEY = 'oss-vend-demo-language'
const THEME_KEY = 'oss-vend-demo-theme'

const radios = (name: string) => document.querySelectorAll<HTMLInputElement>(`input[name="${name}"]`)

/** Restores language and colours, and keeps them when the visitor switches. `onLanguage` is also called at once. */
export function startAppearance(storage: Storage, onLanguage: (language: Language) => void): void {
  function useTheme(theme: string): void {
    // Without the attribute, the system's preference decides.
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
    else delete document.documentElement.dataset.theme
  }
  function useLanguage(name: LanguageName): void {
    const language = createLanguage(name)
    document.documentElement.lang = name
    translate(language)
    onLanguage(language)
  }

  const theme = storage.getItem(THEME_KEY) ?? 'auto'
  const first = firstLanguage(storage.getItem(LANGUAGE_KEY), navigator.languages)
  for (const radio of radios('theme')) {
    radio.checked = radio.value === theme
    radio.addEventListener('change', () => {
      storage.setItem(THEME_KEY, radio.value)
      useTheme(radio.value)
    })
  }
  for (const radio of radios('language')) {
    radio.checked = radio.value === first
    radio.addEventListener('change', () => {
      storage.setItem(LANGUAGE_KEY, radio.value)
      useLanguage(firstLanguage(radio.value, []))
    })
  }
  useTheme(theme)
  useLanguage(first)
}

const isWord = (name: string | undefined): name is Word => name !== undefined && Object.hasOwn(LANGUAGES.en, name)

/** Fills in the texts that stand in the page itself: `data-say` names the text of an element. */
function translate({ say }: Language): void {
  document.title = `${say('title')} · oss-vend`
  for (const element of document.querySelectorAll<HTMLElement>('[data-say]')) {
    if (isWord(element.dataset.say)) element.textContent = say(element.dataset.say)
  }
  find('#files', HTMLElement).setAttribute('aria-label', say('files'))
}
