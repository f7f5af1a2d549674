import { readFileSync } from 'node:fs'
import { fencedBlocks, headings } from '../helpers/markdown.ts'

/** A row of a table of mistakes: the mistake, and each answer that it promises. */
type Promised = Readonly<{ mistake: string; says: readonly string[] }>

/** What a section of the page says. */
export type Section = Readonly<{
  issuers: readonly string[]
  variables: string | undefined
  template: string
  mistakes: readonly Promised[]
}>

const PAGE = readFileSync('docs/providers.md', 'utf8')
const FORM = /`((?:start|lint|401|403|422|503) (?:[^`\\]|\\.)+)`/gu

/** Each section that has a template, by its anchor. */
export function readPage(): ReadonlyMap<string, Section> {
  const blocks = fencedBlocks(PAGE)
  return new Map(
    headings(PAGE).flatMap(({ anchor, text }): [string, Section][] => {
      const own = blocks.filter(({ under }) => under === anchor)
      const template = own.find(({ text }) => text.startsWith('description: '))
      if (!template) return []
      const rows = [...text.matchAll(/^\| (.+) \| (.+) \|$/gmu)].slice(2)
      return [
        [
          anchor,
          {
            issuers: own.filter(({ text }) => text.startsWith('- name: ')).map(({ text }) => text),
            variables: own.find(({ language, text }) => language === 'sh' && text.startsWith('JWT_'))?.text,
            template: template.text,
            mistakes: rows.map(([, mistake = '', answer = '']) => ({
              mistake,
              says: [...answer.matchAll(FORM)].map(([, code = '']) => code),
            })),
          },
        ],
      ]
    }),
  )
}

/** The variables of a block. */
export const readVariables = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^(\w+)=(\S*)/gmu)].map(([, name = '', value = '']) => [name, value]))
