import type { Clock } from '../../lib/clock.ts'

/** How one line of the report ended. A check that could not run is never shown as passed. */
export type Status = 'passed' | 'failed' | 'not_checked'

/** One line of the report. It never contains a secret, nor text that a server sent. */
export type Line = Readonly<{
  status: Status
  message: string
  /** For a failed line: the next step of the operator. */
  remedy?: string
  /** The settings that the remedy is about. */
  settings?: readonly string[]
}>

/** The lines of a check. Checks that need it run only if there is a value. */
export type Outcome<T> = Readonly<{ lines: readonly Line[]; value?: T }>

/** One thing to find out. */
export type Check<T = unknown> = Readonly<{
  /** The heading of its line: `Service`, `Target default`. */
  group: string
  name: string
  /** Runs it, once, after the checks that it needs. Never rejects. */
  outcome: () => Promise<Outcome<T>>
}>

type Definition<T> = Pick<Check, 'group' | 'name'> &
  Readonly<{
    needs?: readonly Check[]
    run: () => Promise<Outcome<T>>
  }>

/** Every call within a check has a shorter limit. This one is for whatever has none. */
const LIMIT_MS = 120_000

/** Makes checks that run at most once, and within a time limit. */
export function createChecks(clock: Pick<Clock, 'after'>) {
  return function check<T>({ group, name, needs = [], run }: Definition<T>): Check<T> {
    async function start(): Promise<Outcome<T>> {
      for (const need of needs) {
        const { value } = await need.outcome()
        if (value === undefined) return { lines: [notChecked(`"${need.name}" comes first`)] }
      }
      try {
        return await within(run(), clock)
      } catch (error) {
        // Only the name: a message may quote what was sent.
        const kind = error instanceof Error ? error.name : 'unknown error'
        const remedy =
          'report it, with the version of oss-vend: this is a fault of the doctor, or of a file that it reads'
        return { lines: [failed(`the check itself failed: ${kind}`, remedy)] }
      }
    }
    let running: Promise<Outcome<T>> | undefined
    return {
      group,
      name,
      outcome() {
        running ??= start()
        return running
      },
    }
  }
}

export type CreateCheck = ReturnType<typeof createChecks>

function within<T>(work: Promise<Outcome<T>>, clock: Pick<Clock, 'after'>): Promise<Outcome<T>> {
  return new Promise((resolve, reject) => {
    const remedy = 'look at the network between this machine and the servers of this check'
    const late = failed(`was not finished after ${LIMIT_MS / 1000} seconds`, remedy)
    const cancel = clock.after(LIMIT_MS, () => resolve({ lines: [late] }))
    work.finally(cancel).then(resolve, reject)
  })
}

/** The value of a check that this one needs. */
export async function readValue<T>(check: Check<T>): Promise<T> {
  const { value } = await check.outcome()
  if (value === undefined) throw new Error('a check was read that is not among those that are needed')
  return value
}

export const passed = (message: string): Line => ({ status: 'passed', message })
export const notChecked = (why: string): Line => ({ status: 'not_checked', message: `not checked: ${why}` })
export const failed = (message: string, remedy: string, settings: readonly string[] = []): Line => ({
  status: 'failed',
  message,
  remedy,
  ...(settings.length > 0 && { settings }),
})
