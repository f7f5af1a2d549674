import { createHash } from 'node:crypto'

/** A heading with the text down to the next one. `text` begins with the heading; code is part of it. */
export type Section = Readonly<{ level: number; title: string; text: string }>

/** The section of the original and the one that translates it. */
export type Pair = Readonly<{ original: Section; translation: Section }>

// A comment in a fenced block looks like a heading, so the blocks are matched first.
const BLOCK_OR_HEADING = /^```.*?^```$|^(#{1,6}) ([^\n]+)$/gmsu
const MARK = /^<!-- translated from \w* -->\n/gmu

/** The sections of a page, in their order. */
export function sections(markdown: string): Section[] {
  const found = [...markdown.matchAll(BLOCK_OR_HEADING)].filter(([, marker]) => marker !== undefined)
  return found.map(({ 1: marker = '', 2: title = '', index }, at) => ({
    level: marker.length,
    title,
    text: markdown.slice(index, found[at + 1]?.index),
  }))
}

/** The line below a translated heading. It names the text that was translated, so it is wrong once that text changes. */
export function markOf({ text }: Section): string {
  const hash = createHash('sha256').update(text.trimEnd()).digest('hex').slice(0, 12)
  return `<!-- translated from ${hash} -->\n`
}

/** The pairs whose original has changed since the mark was written. */
export function stale(original: string, translation: string): Pair[] {
  return pairs(original, translation).filter((pair) => {
    const marks = pair.translation.text.match(MARK) ?? []
    return marks.length !== 1 || marks[0] !== markOf(pair.original)
  })
}

/** The translation with a mark of today's original below each heading. */
export function withMarks(original: string, translation: string): string {
  const marked = pairs(original, translation).map(({ original, translation }) => {
    const [heading = '', ...rest] = translation.text.replace(MARK, '').split('\n')
    return `${heading}\n${markOf(original)}${rest.join('\n')}`
  })
  return marked.join('')
}

function pairs(original: string, translation: string): Pair[] {
  const [theirs, ours] = [sections(original), sections(translation)]
  if (theirs.length !== ours.length) {
    throw new Error(
      `The original has ${theirs.length} headings, the translation ${ours.length}: add or delete some first`,
    )
  }
  return theirs.flatMap((original, at) => {
    const translation = ours[at]
    return translation === undefined ? [] : [{ original, translation }]
  })
}
