import { en, type Words } from './texts/en.ts'
import { zh } from './texts/zh.ts'

export type Word = keyof Words
/** The languages of the page, by the value of `<html lang>`. */
export const LANGUAGES = { en, 'zh-CN': zh } as const
export type LanguageName = keyof typeof LANGUAGES

const isLanguage = (name: string | null): name is LanguageName => name !== null && Object.hasOwn(LANGUAGES, name)

type Values = Readonly<Record<string, string>>
export type Piece = Readonly<{ text: string; isValue: boolean }>

/** The words of one language, and the forms of its numbers, sizes, times and lists. */
export type Language = Readonly<{
  name: LanguageName
  say(word: Word, values?: Values): string
  /** The same text in pieces, so that the values in it can be marked. */
  pieces(word: Word, values: Values): readonly Piece[]
  size(bytes: number): string
  percent(part: number): string
  /** Hours and minutes. */
  time(date: Date): string
  /** “a, b and c” */
  all(items: readonly string[]): string
  /** “a, b or c” */
  any(items: readonly string[]): string
}>

export function createLanguage(name: LanguageName): Language {
  const words = LANGUAGES[name]
  // British lists have no comma before their last word.
  const locale = name === 'en' ? 'en-GB' : name
  const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })
  const percents = new Intl.NumberFormat(locale, { style: 'percent' })
  const times = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const and = new Intl.ListFormat(locale, { type: 'conjunction' })
  const or = new Intl.ListFormat(locale, { type: 'disjunction' })
  return {
    name,
    say: (word, values = {}) => words[word].replace(/\{(\w+)\}/gu, (whole, key: string) => values[key] ?? whole),
    pieces: (word, values) =>
      words[word].split(/\{(\w+)\}/u).map((text, index) => {
        // The pattern's group puts each name between two texts.
        const isValue = index % 2 === 1
        return { text: isValue ? (values[text] ?? '') : text, isValue }
      }),
    size(bytes) {
      if (bytes < 1000) return `${bytes} B`
      return bytes < 1e6 ? `${numbers.format(bytes / 1e3)} kB` : `${numbers.format(bytes / 1e6)} MB`
    },
    percent: (part) => percents.format(part),
    time: (date) => times.format(date),
    all: (items) => and.format(items),
    any: (items) => or.format(items),
  }
}

/** The remembered language, or else the first one that the browser prefers and the page has. */
export function firstLanguage(remembered: string | null, preferred: readonly string[]): LanguageName {
  if (isLanguage(remembered)) return remembered
  const known = preferred.find((name) => /^(?:en|zh)\b/iu.test(name))
  return known?.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en'
}
