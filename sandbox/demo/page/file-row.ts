import { copyOf, find, setText } from './dom.ts'
import type { Attempt } from './explain.ts'
import { showExplanation } from './explanation-view.ts'
import { TooLarge } from './failure.ts'
import type { Language, Word } from './language.ts'
import type { Upload } from './upload.ts'

/** The visitor's wishes for one file. */
export type FileActions = Readonly<{ pause(): void; run(): void; remove(): void; download(): void }>

type Button = Readonly<{ act: keyof FileActions; word: Word; label: Word }>

const PAUSE: Button = { act: 'pause', word: 'pause', label: 'pauseFile' }
const RESUME: Button = { act: 'run', word: 'resume', label: 'resumeFile' }
const RETRY: Button = { act: 'run', word: 'retry', label: 'retryFile' }
const DOWNLOAD: Button = { act: 'download', word: 'download', label: 'downloadFile' }
const REMOVE: Button = { act: 'remove', word: 'remove', label: 'removeFile' }

/** Why an upload or a download did not work. */
export type FileFailure = Readonly<{ error: unknown; attempt: Attempt }>

/** The row of one file in the list. */
export type FileRow = Readonly<{
  element: HTMLElement
  /** Shows the file as it is now, with the last failure. `readable` tells whether it may be downloaded. */
  show(language: Language, readable: boolean, failure: FileFailure | undefined): void
}>

export function createFileRow(upload: Upload, actions: FileActions): FileRow {
  const element = copyOf('file-row')
  const bar = find('progress', HTMLProgressElement, element)
  const state = find('.file-state', HTMLElement, element)
  const box = find('.explanation', HTMLElement, element)
  const buttons = find('.buttons', HTMLElement, element)
  setText(find('.file-name', HTMLElement, element), upload.key)

  function buttonsNow(readable: boolean): readonly Button[] {
    const now = upload.state()
    const { kind } = now
    // It would be too large again.
    if (now.kind === 'failed' && now.error instanceof TooLarge) return [REMOVE]
    if (kind === 'done') return readable ? [DOWNLOAD, REMOVE] : [REMOVE]
    if (kind === 'sending') return [PAUSE, REMOVE]
    if (kind === 'finishing') return []
    return [kind === 'paused' ? RESUME : RETRY, REMOVE]
  }

  /** Buttons stay where they are as long as possible: one that has the focus keeps it when its meaning changes. */
  function showButtons({ say }: Language, wanted: readonly Button[]): void {
    while (buttons.childElementCount > wanted.length) buttons.lastElementChild?.remove()
    wanted.forEach(({ act, word, label }, index) => {
      let button = buttons.children[index]
      if (!(button instanceof HTMLButtonElement)) {
        button = document.createElement('button')
        button.setAttribute('type', 'button')
        buttons.append(button)
      }
      if (!(button instanceof HTMLButtonElement)) return
      button.onclick = () => actions[act]()
      button.dataset.act = word
      setText(button, say(word))
      button.setAttribute('aria-label', say(label, { file: upload.file.name }))
    })
  }

  return {
    element,
    show(language, readable, failure) {
      const now = upload.state()
      const part = upload.file.size === 0 ? Number(now.kind === 'done') : upload.sent() / upload.file.size
      element.dataset.state = now.kind
      bar.value = part
      bar.setAttribute('aria-label', language.say('progressFile', { file: upload.file.name }))
      setText(state, stateText(language, upload, part))
      showExplanation(box, language, failure?.error, failure?.attempt)
      showButtons(language, buttonsNow(readable))
    },
  }
}

function stateText({ say, size, percent }: Language, upload: Upload, share: number): string {
  const values = { percent: percent(Math.floor(share * 100) / 100), size: size(upload.file.size) }
  const { number, of } = upload.part()
  switch (upload.state().kind) {
    case 'sending':
      return of > 1
        ? say('sendingPart', { ...values, part: String(number), parts: String(of) })
        : say('sending', values)
    case 'finishing':
      return say('finishing')
    case 'paused':
      return say('paused', values)
    case 'done':
      return say('done', values)
    default:
      return say('failed')
  }
}
