import type { Config } from './contract.ts'
import { find, setText } from './dom.ts'
import type { Attempt } from './explain.ts'
import type { Access, Files } from './files-view.ts'
import type { Language } from './language.ts'

export type Context = Readonly<{
  config: Config
  files: Files
  language(): Language
  /** The access that the visitor has now, if any. */
  access(): Access | undefined
  announce(text: string): void
  /** Explains a failure in the box with this id, or empties the box. */
  fail(id: string, error?: unknown, attempt?: Attempt): void
}>

const SAMPLE_BYTES = 20_000_000

/** The folder, the place to drop files, and the chooser. */
export function createUploadPanel({ config, files, language, access, announce }: Context) {
  const folder = find('#folder', HTMLInputElement)
  const drop = find('#drop', HTMLElement)
  const picker = find('#picker', HTMLInputElement)

  function add(chosen: Iterable<File>): void {
    const now = access()
    if (!now) return
    const prefix = folder.value === '' || folder.value.endsWith('/') ? folder.value : `${folder.value}/`
    for (const file of chosen) files.add(file, prefix + file.name, now)
  }

  picker.addEventListener('change', () => {
    add(picker.files ?? [])
    // Otherwise the same file chosen again would be no change.
    picker.value = ''
  })
  find('#sample', HTMLElement).addEventListener('click', () => {
    add([new File([new Uint8Array(SAMPLE_BYTES)], 'sample.bin', { type: 'application/octet-stream' })])
  })

  // A file that is dropped beside the target must not replace the page.
  for (const name of ['dragover', 'drop'] as const) {
    document.addEventListener(name, (event) => event.preventDefault())
  }
  drop.addEventListener('dragenter', () => drop.classList.add('over'))
  drop.addEventListener('dragleave', ({ relatedTarget }) => {
    if (!(relatedTarget instanceof Node && drop.contains(relatedTarget))) drop.classList.remove('over')
  })
  drop.addEventListener('drop', ({ dataTransfer }) => {
    drop.classList.remove('over')
    const items = [...(dataTransfer?.items ?? [])].filter(({ kind }) => kind === 'file')
    const single = items.filter((item) => !item.webkitGetAsEntry()?.isDirectory)
    if (single.length < items.length) announce(language().say('foldersCannot'))
    add(single.map((item) => item.getAsFile()).filter((file) => file !== null))
  })

  return {
    /** Starts over in the caller's own folder. */
    reset(prefix: string): void {
      folder.value = prefix
    },
    show({ say, size }: Language): void {
      const values = { max: size(config.maxFileBytes), part: size(config.partBytes) }
      setText(find('#limit', HTMLElement), say('limit', values))
    },
  }
}

/** Downloads a file by its name. */
export function createReadPanel({ files, language, access, fail }: Context) {
  const key = find('#read-key', HTMLInputElement)
  const result = find('#read-result', HTMLElement)

  find('#read-form', HTMLFormElement).addEventListener('submit', async (event) => {
    event.preventDefault()
    const now = access()
    if (!now) return
    setText(result, '')
    fail('read-failure')
    try {
      const bytes = await files.download(now, key.value)
      setText(result, language().say('readSaved', { size: language().size(bytes) }))
    } catch (error) {
      fail('read-failure', error, { action: 'oss:GetObject', key: key.value, vended: now.vended })
    }
  })

  return {
    reset(prefix: string): void {
      // The sandbox has this one file to read.
      key.value = prefix === 'public/' ? 'public/welcome.txt' : prefix
      setText(result, '')
    },
  }
}
