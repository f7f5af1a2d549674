import { startAppearance } from './appearance.ts'
import type { Config, Vended, Wish } from './contract.ts'
import { find, setText } from './dom.ts'
import type { Attempt } from './explain.ts'
import { showExplanation } from './explanation-view.ts'
import { type Access, createFiles } from './files-view.ts'
import { showGrant, showGranted } from './grant-panel.ts'
import { createLanguage, type Language } from './language.ts'
import { createLog } from './log-view.ts'
import { createPolicyPanel } from './policy-panel.ts'
import { createService, type Login } from './service.ts'
import { createSession, type Session } from './session.ts'
import { createStore } from './store.ts'
import { createReadPanel, createUploadPanel } from './transfer-panels.ts'
import { createTryPanel } from './try-panel.ts'
import { createUserPanel, type User } from './user-panel.ts'

/** A failure that stays on the page until the next attempt; it is told again when the language changes. */
type Shown = Readonly<{ error: unknown; attempt: Attempt }>

function start(config: Config | undefined, failure?: unknown): void {
  let language: Language = createLanguage('en')
  let user: User | undefined
  let login: Login | undefined
  let session: Session | undefined
  let access: Access | undefined
  let renewedAt: Date | undefined
  const failures = new Map<string, Shown | undefined>()

  const { report } = createLog(
    () => new Date(),
    () => language,
  )
  const service = createService(report)
  const announce = (text: string) => setText(find('#said', HTMLElement), text)

  function fail(id: string, error?: unknown, attempt: Attempt = {}): void {
    failures.set(id, error === undefined ? undefined : { error, attempt })
    const words = showExplanation(find(`#${id}`, HTMLElement), language, error, attempt)
    if (words !== '') announce(words)
  }
  if (!config) {
    startAppearance(localStorage, (next) => {
      language = next
      fail('start-failure', failure)
    })
    return
  }

  const files = createFiles(config, () => language, announce)
  const context = { config, files, language: () => language, access: () => access, announce, fail }
  const uploads = createUploadPanel(context)
  const reads = createReadPanel(context)
  const policies = createPolicyPanel((wish) => void ask(wish))
  const users = createUserPanel(config.users, (chosen) => void signIn(chosen))
  createTryPanel(context, service, () => session)

  function leave(): void {
    session = undefined
    access = undefined
    renewedAt = undefined
    showGranted(false)
    for (const id of ['policy-failure', 'read-failure', 'try-failure']) fail(id)
  }

  async function signIn(chosen: User): Promise<void> {
    leave()
    fail('user-failure')
    policies.hide()
    login = undefined
    user = undefined
    users.show(language, user)
    try {
      const next = await service.signIn(chosen.id)
      policies.offer(await next.policies())
      login = next
      user = chosen
      show()
      announce(language.say('signedIn', { name: chosen.name }))
    } catch (error) {
      fail('user-failure', error, { name: chosen.name })
    }
  }

  async function ask(wish: Wish): Promise<void> {
    leave()
    if (!login) return
    policies.busy(true)
    try {
      begin(await login.credentials(wish), wish, login)
      announce(language.say('granted'))
    } catch (error) {
      fail('policy-failure', error, { name: user?.name ?? '' })
    }
    policies.busy(false)
  }

  function begin(vended: Vended, wish: Wish, { credentials }: Login): void {
    const own = createSession(vended, {
      // The service would hand out the refused session again from its cache.
      fetch: (fresh) => credentials(fresh ? { ...wish, fresh } : wish),
      now: () => Date.now(),
      onRenew(next) {
        // Uploads of an earlier policy go on with credentials of their own.
        if (session !== own) return
        renewedAt = new Date()
        access = access && { ...access, vended: next }
        showGrant(language, next, renewedAt)
        announce(language.say('saidRenewed'))
      },
    })
    session = own
    access = { vended, store: createStore(own, config?.ossEndpoint, report) }
    const [prefix = ''] = vended.oss.prefixes
    uploads.reset(prefix)
    reads.reset(prefix)
    show()
    // On a phone, it stands below the fold.
    find('#h-grant', HTMLElement).scrollIntoView({ block: 'nearest' })
  }

  function show(): void {
    users.show(language, user)
    policies.show(language, user?.name ?? '')
    uploads.show(language)
    if (access) showGrant(language, access.vended, renewedAt)
    files.show()
    for (const [id, shown] of failures)
      showExplanation(find(`#${id}`, HTMLElement), language, shown?.error, shown?.attempt)
  }

  startAppearance(localStorage, (next) => {
    language = next
    show()
  })
}

createService(() => {})
  .config()
  .then(start, (error: unknown) => start(undefined, error))
