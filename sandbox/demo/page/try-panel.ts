import { find } from './dom.ts'
import type { Service } from './service.ts'
import type { Session } from './session.ts'
import type { Context } from './transfer-panels.ts'

/** Buttons that do something wrong on purpose, and the switch for the store's health. */
export function createTryPanel(context: Context, service: Service, session: () => Session | undefined): void {
  const { config, files, access, fail } = context
  const note = () => new File(['A small text.\n'], 'note.txt', { type: 'text/plain' })

  /** Does it with the visitor's access, and explains a failure. */
  function on(id: string, attempt: () => Promise<void> | void): void {
    find(`#${id}`, HTMLElement).addEventListener('click', async () => {
      fail('try-failure')
      await attempt()
    })
  }
  const ownFolder = () => access()?.vended.oss.prefixes[0] ?? ''

  on('try-folder', () => {
    const now = access()
    if (now) files.add(note(), `${ownFolder() === 'users/bob/' ? 'users/alice/' : 'users/bob/'}note.txt`, now)
  })
  on('try-big', () => {
    const now = access()
    if (now)
      files.add(
        new File([new Uint8Array(config.maxFileBytes + 1_000_000)], 'too-large.bin'),
        `${ownFolder()}too-large.bin`,
        now,
      )
  })
  on('try-token', () => {
    const now = access()
    session()?.damage()
    if (now) files.add(note(), `${ownFolder()}note.txt`, now)
  })
  on('try-read', async () => {
    const now = access()
    if (!now) return
    const key = `${ownFolder()}photo.jpg`
    await files.download(now, key).catch((error: unknown) => {
      const attempt = { action: 'oss:GetObject', key, vended: now.vended }
      fail('try-failure', error, attempt)
    })
  })

  for (const radio of document.querySelectorAll<HTMLInputElement>('input[name="health"]')) {
    radio.checked = radio.value === config.storeHealth
    radio.addEventListener('change', async () => {
      fail('try-failure')
      await service.setStoreHealth(radio.value).catch((error: unknown) => {
        fail('try-failure', error)
      })
    })
  }
}
