import { copyOf, find, setText } from './dom.ts'
import type { Exchange } from './failure.ts'
import type { Language } from './language.ts'

const MAX_LINES = 100
const WORDS = { 'no answer': 'logNoAnswer', stopped: 'logStopped' } as const

/** The list of requests: the newest stands first. */
export function createLog(now: () => Date, language: () => Language) {
  const list = find('#log', HTMLElement)
  const empty = find('#log-empty', HTMLElement)
  return {
    report({ to, method, path, status }: Exchange): void {
      const line = copyOf('log-line')
      const { say, name } = language()
      setText(find('time', HTMLElement, line), now().toLocaleTimeString(name, { hourCycle: 'h23' }))
      setText(find('.to', HTMLElement, line), say(to === 'service' ? 'flowService' : 'flowStore'))
      line.dataset.to = to
      setText(find('.request', HTMLElement, line), `${method} ${path}`)
      const result = find('.status', HTMLElement, line)
      setText(result, typeof status === 'number' ? String(status) : say(WORDS[status]))
      result.dataset.kind = status === 'stopped' ? 'stopped' : Number(status) < 300 ? 'good' : 'bad'
      list.prepend(line)
      list.children[MAX_LINES]?.remove()
      empty.hidden = true
    },
  }
}
