import { verifiedMac } from '../../observe/audit/chain.ts'
import { type AuditEvent, eventSchema } from '../../observe/audit/schema.ts'
import { type Line, parsed } from './lines.ts'

/** Something that no run of the service leaves behind by itself. */
export type Fault = Readonly<{ kind: 'changed' | 'removed' | 'moved' | 'unchained' | 'head'; at: string; what: string }>

/** One run: one start of one replica. */
export type Run = {
  source: string
  first: string
  last: string
  from: string
  to: string
  events: number
  /** The `mac` of its last line: kept elsewhere, it vouches for all lines up to it. */
  head: string
  /** `stopped`: by its own last event. `followed`: the next run found its last line. `open`: nothing vouches for its end. */
  end: 'stopped' | 'followed' | 'open'
}

export type Verdict = Readonly<{
  lines: number
  runs: readonly Run[]
  faults: readonly Fault[]
  /** Told to the auditor; none of them is a fault by itself. */
  notes: readonly string[]
}>

/**
 * Checks files of one or several replicas. In each file the runs of one replica follow each other; only at the start of a
 * file may one go on that began in another.
 * @param heads `mac`s that somebody kept elsewhere
 */
export async function checkChains(
  lines: AsyncIterable<Line>,
  keys: readonly Buffer[],
  heads: readonly string[] = [],
): Promise<Verdict> {
  const runs = new Map<string, Run & { next: number }>()
  const faults: Fault[] = []
  const notes: string[] = []
  const missing = new Set(heads)
  let count = 0
  let file: string | undefined
  let current: (Run & { next: number }) | undefined
  /** Lines in front of this one that do not fit a key: `broken` ones are no JSON. */
  let bad: { line: Line; broken: boolean }[] = []

  const fault = (kind: Fault['kind'], line: Line, what: string) =>
    faults.push({ kind, at: `${line.file}:${line.number}`, what })

  /** A line that a crash cut is one that the next run found at the end, and started after. */
  function tellBad(next?: AuditEvent) {
    const [only, ...more] = bad
    const afterCrash = next && isStart(next) && (next.previous === current?.head || !current)
    if (only && more.length === 0 && only.broken && afterCrash) {
      notes.push(`${only.line.file}:${only.line.number} is cut: the service ended while it wrote this line`)
    } else {
      for (const { line, broken } of bad) fault('changed', line, broken ? 'is no event' : 'does not fit the key')
    }
    bad = []
  }

  function begin(line: Line, event: AuditEvent, mac: string, firstInFile: boolean) {
    const { source, id, time, previous } = event
    const number = Number(id)
    const goesOn = previous !== undefined && previous === current?.head
    if (!isStart(event)) {
      if (firstInFile) notes.push(`${source}: the events before ${id} are not in these files`)
      else fault('removed', line, `the start of this run, up to the event before ${id}, is missing`)
    } else if (previous !== undefined && !goesOn) {
      if (firstInFile) notes.push(`${source}: the run before it is not in these files`)
      else fault('removed', line, 'the lines that this run started after are missing')
    }
    if (goesOn && current?.end === 'open') current.end = 'followed'
    current = { source, first: id, last: id, from: time, to: time, events: 1, head: mac, end: 'open', next: number + 1 }
    runs.set(source, current)
  }

  for await (const line of lines) {
    const firstInFile = line.file !== file
    file = line.file
    if (line.text === '') continue
    count++
    const mac = verifiedMac(keys, line.text)
    const value = parsed(line.text)
    const event = eventSchema.safeParse(value).data
    if (mac === undefined || !event) {
      if (event && event.mac === undefined) fault('unchained', line, 'has no mac')
      else if (line.whole) bad.push({ line, broken: value === undefined })
      else notes.push(`${line.file}:${line.number} has no end yet`)
      continue
    }
    missing.delete(mac)
    const skipped = bad.length
    tellBad(event)
    const number = Number(event.id)
    const run = runs.get(event.source)
    if (!run) {
      begin(line, event, mac, firstInFile)
      continue
    }
    if (number < run.next) {
      fault('moved', line, `event ${event.id} is out of order, or here twice`)
      continue
    }
    if (run !== current && !firstInFile) fault('moved', line, `event ${event.id} is among those of another run`)
    // A changed line has its own fault.
    if (number - run.next > skipped) fault('removed', line, gapBefore(event.id, number - run.next))
    else if (number === run.next && event.previous !== run.head)
      fault('changed', line, 'does not follow the line before')
    current = Object.assign(run, {
      last: event.id,
      to: event.time,
      head: mac,
      next: number + 1,
      events: run.events + 1,
    })
    if (event.type === 'oss-vend.audit.stopped') run.end = 'stopped'
  }
  tellBad()
  for (const head of missing) faults.push({ kind: 'head', at: head, what: 'no line has this mac: lines were removed' })
  for (const { end, source, last } of runs.values()) {
    if (end === 'open') notes.push(`${source}: nothing says that ${last} was its last event`)
  }
  return { lines: count, runs: [...runs.values()].map(({ next: _, ...run }) => run), faults, notes }
}

const isStart = ({ type, id }: AuditEvent) => type === 'oss-vend.audit.started' && Number(id) === 0

const gapBefore = (id: string, events: number) =>
  events === 1 ? `1 event before ${id} is missing` : `${events} events before ${id} are missing`
