/** A fenced block: what stands behind the fence, its text, and the heading that it is under. */
export type FencedBlock = Readonly<{ language: string; text: string; under: string }>

const FENCE = /^```(\w*)\n(.*?)^```$/gmsu
const HEADING = /^#{1,6} (.+)$/gmu

/** Every fenced block of a Markdown text; `under` is the anchor of the heading before it. */
export function fencedBlocks(markdown: string): FencedBlock[] {
  const anchors = headings(markdown)
  return [...markdown.matchAll(FENCE)].map(({ 1: language = '', 2: text = '', index }) => ({
    language,
    text,
    under: anchors.findLast((heading) => heading.index < index)?.anchor ?? '',
  }))
}

/** Every heading, with its anchor as GitHub makes it, and the text down to the next heading. */
export function headings(markdown: string): { anchor: string; index: number; text: string }[] {
  // A comment in a fenced block looks like a heading.
  const prose = withoutBlocks(markdown)
  const found = [...prose.matchAll(HEADING)]
  return found.map(({ 1: heading = '', index }, at) => ({
    anchor: heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/ /gu, '-'),
    index,
    text: prose.slice(index, found[at + 1]?.index),
  }))
}

/** Every link, without those in code: what is shown, and where it goes. */
export function links(markdown: string): { text: string; target: string }[] {
  const prose = withoutBlocks(markdown).replace(/`[^`\n]*`/gu, (code) => ' '.repeat(code.length))
  return [...prose.matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/gu)].map(([, text = '', target = '']) => ({ text, target }))
}

/** The text with its fenced blocks blanked, so that places stay what they are. */
const withoutBlocks = (markdown: string) => markdown.replace(FENCE, (block) => block.replace(/[^\n]/gu, ' '))
