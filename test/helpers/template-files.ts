import { readdirSync, readFileSync } from 'node:fs'
import { parseTemplate } from '../../src/policy/template/parse.ts'
import type { Template } from '../../src/policy/template/template.ts'

/** Every template of a folder of this repository. */
export const filesOf = (folder: string): Template[] =>
  readdirSync(folder).map((file) => {
    const { template } = parseTemplate(file, file.replace('.yaml', ''), readFileSync(`${folder}/${file}`, 'utf8'))
    if (!template) throw new Error(`${file} does not compile`)
    return template
  })
