import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { figure } from '../capacity/figure.ts'
import { atMost, type Benchmark } from '../lib/finding.ts'
import { load } from '../lib/load.ts'
import { serviceEnvironment, startService } from '../lib/service.ts'
import { inTurns, median } from '../lib/statistics.ts'
import { startSts } from '../lib/sts.ts'
import { createSigningKey, mintToken } from '../lib/tokens.ts'
import { ask } from '../lib/vend.ts'

const SCALES = {
  full: { rounds: 7, seconds: 4, callers: 8000 },
  small: { rounds: 1, seconds: 1, callers: 2000 },
} as const
/** Duration of a call to an STS that answers. */
const STS_MS = 20
/** Longer than anything waits. */
const SILENT_MS = 3_600_000
const CONNECTIONS = 16
/** Callers of the other target a second, whether they are answered or not. */
const OTHERS_PER_SECOND = 50

/** Measures how an outage of one target's STS affects the callers of another. */
export const twoTargets: Benchmark = {
  name: 'two-targets',
  summary: 'new sessions at one target while the STS of another is silent, compared with while it answers',
  async run(scale) {
    const { rounds, seconds, callers } = SCALES[scale]
    const key = createSigningKey('HS256')
    const well = await startSts({ delayMs: STS_MS })
    const silent = await startSts({ delayMs: SILENT_MS })
    const folder = await mkdtemp(join(tmpdir(), 'oss-vend-bench-'))
    const single = serviceEnvironment({ key, stsUrl: '' }, { STS_MAX_RPS: '10000', STS_CONNECTIONS: '64' })
    const keys = { accessKey: single.JDCLOUD_ACCESS_KEY, secretKey: single.JDCLOUD_SECRET_KEY }
    const start = async (name: string, other: string) =>
      startService({ ...withoutTarget(single), ...(await files(join(folder, name), keys, well.url, other)) })
    const [outage, peace] = await Promise.all([start('outage', silent.url), start('peace', well.url)])
    let next = 0
    const fresh = (prefix: string) => mintToken(key, `${prefix}-${next++}`)
    const against = (url: string) => async () => {
      const tokens = Array.from({ length: callers }, () => fresh('caller'))
      const others = setInterval(() => {
        // Refused or cut off: they are there to be in the way.
        ask(url, fresh('other'), 'other-upload').then(
          (answer) => answer.arrayBuffer(),
          () => {},
        )
      }, 1000 / OTHERS_PER_SECOND)
      try {
        return await load({ url, tokens, connections: CONNECTIONS, seconds })
      } finally {
        clearInterval(others)
      }
    }
    try {
      await inTurns(1, against(outage.url), against(peace.url))
      const { ours, rival } = await inTurns(rounds, against(outage.url), against(peace.url))
      const [mine = Number.NaN, theirs = Number.NaN] = [ours, rival].map((all) => median(all.map(({ p99 }) => p99)))
      return [
        {
          what: 'p99 of new sessions at one target, another is silent',
          ours: `${figure(mine)} ms`,
          rival: { name: 'the same, both answer', value: `${figure(theirs)} ms` },
          ratio: mine / theirs,
          better: 'less',
          floor: atMost(mine / theirs, 1.1),
        },
      ]
    } finally {
      await Promise.all([outage, peace, well, silent].map((server) => server.stop()))
      await rm(folder, { recursive: true })
    }
  },
}

/** Without the variables of a single target, which the file replaces. */
const withoutTarget = (environment: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(?:JDCLOUD|OSS)_/u.test(name)))

type Keys = Readonly<{ accessKey: string | undefined; secretKey: string | undefined }>

/** Two targets, and a template for each. */
async function files(dir: string, keys: Keys, own: string, other: string): Promise<Readonly<Record<string, string>>> {
  const target = (name: string, account: string, stsEndpoint: string) => ({
    ...{ name, account, role: 'test-role', bucket: `${name}-bucket`, region: 'cn-north-1', stsEndpoint },
    ...keys,
  })
  const shipped = await readFile(new URL('../../policies/user-upload.yaml', import.meta.url), 'utf8')
  await mkdir(join(dir, 'policies'), { recursive: true })
  await writeFile(join(dir, 'policies/user-upload.yaml'), `target: own\n${shipped}`)
  await writeFile(join(dir, 'policies/other-upload.yaml'), `target: other\n${shipped}`)
  const targets = [target('own', '111111111111', own), target('other', '222222222222', other)]
  await writeFile(join(dir, 'targets.json'), JSON.stringify(targets))
  return { TARGETS_FILE: join(dir, 'targets.json'), POLICIES_DIR: join(dir, 'policies') }
}
