import { z } from 'zod'
import { figure } from '../capacity/figure.ts'
import { atLeast, type Benchmark } from '../lib/finding.ts'
import { runScript } from '../lib/script.ts'
import { median } from '../lib/statistics.ts'

const SCALES = { full: { rounds: 15, signatures: 20_000 }, small: { rounds: 1, signatures: 500 } } as const
const measured = z.object({ ours: z.array(z.number()), rival: z.array(z.number()) })

/** One signature of an AssumeRole request. */
export const signing: Benchmark = {
  name: 'signing',
  summary: 'signing an AssumeRole request, against the official SDK’s signer',
  async run(scale) {
    const { ours, rival } = measured.parse(await runScript('bench/cases/signing-process.ts', SCALES[scale]))
    const [our, their] = [median(ours), median(rival)]
    const ratio = our / their
    return [
      {
        what: 'signatures, one core',
        ours: `${figure(our)}/s`,
        rival: { name: "jdcloud-sdk-js's signer, same request", value: `${figure(their)}/s` },
        ratio,
        better: 'more',
        floor: atLeast(ratio, 5),
      },
    ]
  },
}
