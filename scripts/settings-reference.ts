import type { Group, Setting } from '../src/config/setting.ts'
import { groups } from '../src/config/settings.ts'

const WIDTH = 120

const INTRODUCTION = `# Every variable that the service reads. Copy to .env for \`npm start\`, or set them on the container.
# An empty value counts as unset. Those marked (required) have no default.
# For \`npm start\`, quote a value that holds a #. Docker's --env-file takes quotes literally.
# A secret, marked (secret), can stand in a file instead: JWT_SECRET_FILE=/run/secrets/jwt
# STS keys, keys of issuers and CACHE_ENCRYPTION_KEY can be changed in their files while the service runs.
# All faults are reported together at start, and the process ends with exit code 78.
# Made by \`npm run settings\` from src/config/groups/.
`

const MARKERS = {
  start: '<!-- settings: made by `npm run settings` from src/config/groups/ -->',
  end: '<!-- /settings -->',
}

/** The text of `.env.example`. */
export function envExample(): string {
  return [INTRODUCTION, ...Object.entries<Group>(groups).map(([heading, group]) => section(heading, group))].join('\n')
}

/** Updates the tables of settings in the page, between two markers. */
export function withTables(page: string): string {
  const [before, rest] = halves(page, MARKERS.start)
  const [, after] = halves(rest, MARKERS.end)
  const tables = Object.entries<Group>(groups).map(([heading, group]) => table(heading, group))
  return [before + MARKERS.start, ...tables, MARKERS.end + after].join('\n\n')
}

function section(heading: string, group: Group): string {
  const title = `# --- ${heading} `.padEnd(WIDTH, '-')
  const settings = Object.entries(group).map(([name, setting]) => {
    const marks = [requirement(setting), setting.secret && 'secret'].filter(Boolean).join(', ')
    const sentences = [marks && `(${marks})`, description(setting), setting.unset && `Unset: ${setting.unset}.`]
    return `${comment(sentences.filter(Boolean).join(' '))}\n${name}=${setting.default ?? ''}\n`
  })
  return `${title}\n\n${settings.join('\n')}`
}

function table(heading: string, group: Group): string {
  const rows = Object.entries(group).map(([name, setting]) => {
    const without = requirement(setting) ?? setting.unset ?? `\`${setting.default}\``
    const marks = setting.secret ? ' (secret)' : ''
    return `| \`${name}\`${marks} | ${inCell(without)} | ${inCell(description(setting))} |`
  })
  return [`### ${heading}`, '', '| setting | default | what it does |', '| --- | --- | --- |', ...rows].join('\n')
}

function description({ help, range }: Setting): string {
  return range === undefined ? help : `${help} ${range}.`
}

function requirement({ required, source }: Setting): string | undefined {
  if (required === undefined) return undefined
  if (required === true) return source === undefined ? 'required' : `required with CREDENTIAL_SOURCE=${source}`
  return 'unless' in required ? `required unless ${required.unless} is set` : `required with ${required.with}`
}

const inCell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')

/** Comment lines within the width; words stay whole. */
function comment(text: string): string {
  const lines: string[] = []
  let line = '#'
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = '#'
    }
    line += ` ${word}`
  }
  return [...lines, line].join('\n')
}

function halves(text: string, marker: string): [before: string, after: string] {
  const at = text.indexOf(marker)
  if (at < 0) throw new Error(`The page has no line ${marker}`)
  return [text.slice(0, at), text.slice(at + marker.length)]
}
