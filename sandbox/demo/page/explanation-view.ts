import { find, setText } from './dom.ts'
import { type Attempt, explain } from './explain.ts'
import type { Language } from './language.ts'

/** Shows an error in plain words in a box, or hides the box where there is none. Returns the words, to announce them. */
export function showExplanation(box: HTMLElement, language: Language, error?: unknown, attempt?: Attempt): string {
  box.hidden = error === undefined
  if (error === undefined) return ''
  const { why, todo, answer } = explain(language, error, attempt)
  setText(find('.why', HTMLElement, box), why)
  setText(find('.todo', HTMLElement, box), todo)
  const answerLine = find('.answer', HTMLElement, box)
  setText(answerLine, answer && language.say('answerWas', { answer }))
  answerLine.hidden = answer === ''
  return `${why} ${todo}`
}
