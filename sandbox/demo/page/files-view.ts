import type { Config, Vended } from './contract.ts'
import { find, save } from './dom.ts'
import { explain } from './explain.ts'
import { createFileRow, type FileFailure, type FileRow } from './file-row.ts'
import { allows } from './grant-words.ts'
import type { Language } from './language.ts'
import type { Store } from './store.ts'
import { createUpload, type Upload } from './upload.ts'

/** The store and the grant that new uploads use. */
export type Access = Readonly<{ store: Store; vended: Vended }>

type Entry = Readonly<{ upload: Upload; row: FileRow; access: Access; show(): void }>

/** The list of files. `announce` reads a text to people who do not see the page. */
export function createFiles(config: Config, language: () => Language, announce: (text: string) => void) {
  const list = find('#files', HTMLElement)
  const panel = find('#files-panel', HTMLElement)
  const entries = new Set<Entry>()

  function add(file: File, key: string, access: Access): void {
    const { store, vended } = access
    const upload = createUpload({ ...config, file, key, store, onChange: () => entry.show() })
    let failure: FileFailure | undefined

    /** Does it, and keeps the failure in the row, if there is one. */
    async function attempt(action: string, run: () => Promise<unknown>): Promise<void> {
      failure = undefined
      try {
        await run()
      } catch (error) {
        failure = { error, attempt: { action, key, vended } }
        const { why, todo } = explain(language(), error, failure.attempt)
        announce(`${file.name}: ${why} ${todo}`)
      }
      entry.show()
    }
    const run = () =>
      attempt('oss:PutObject', async () => {
        await upload.run()
        const state = upload.state()
        if (state.kind === 'failed') throw state.error
        if (state.kind === 'done') announce(language().say('saidDone', { file: file.name }))
      })

    const row = createFileRow(upload, {
      run: () => void run(),
      pause() {
        upload.pause()
        announce(language().say('saidPaused', { file: file.name }))
      },
      remove() {
        remove(entry)
        announce(language().say('saidRemoved', { file: file.name }))
      },
      download: () => void attempt('oss:GetObject', () => download(access, key)),
    })
    const entry: Entry = {
      upload,
      row,
      access,
      show: () => row.show(language(), allows(vended, 'oss:GetObject'), failure),
    }
    entries.add(entry)
    list.prepend(row.element)
    panel.hidden = false
    void run()
  }

  function remove(entry: Entry): void {
    const { nextElementSibling: next, previousElementSibling: previous } = entry.row.element
    entries.delete(entry)
    entry.row.element.remove()
    panel.hidden = entries.size === 0
    // The focus must not fall back to the top of the page.
    const neighbour = (next ?? previous)?.querySelector('button')
    ;(neighbour ?? find('#picker', HTMLElement)).focus()
    // The row has left the page, so there is no place for a failure, and nothing to do about it.
    void entry.upload.cancel().catch(() => undefined)
  }

  async function download({ store }: Access, key: string): Promise<number> {
    const { body } = await store.send({ method: 'GET', key })
    const name = key.split('/').at(-1) ?? key
    save(body, name)
    announce(language().say('saidSaved', { file: name }))
    return body.size
  }

  return {
    add,
    download,
    /** Shows all rows again, after a change of the language. */
    show() {
      for (const entry of entries) entry.show()
    },
  }
}

export type Files = ReturnType<typeof createFiles>
