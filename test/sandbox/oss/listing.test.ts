import {
  ListObjectsCommand,
  type ListObjectsCommandOutput,
  ListObjectsV2Command,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3'
import fc from 'fast-check'
import t from 'tap'
import { listPage } from '../../../sandbox/oss/listing.ts'
import { compareUtf8 } from '../../../sandbox/oss/utf8-order.ts'
import { BUCKET, OWNER, outcome, startOss } from './harness.ts'

const KEYS = ['a', 'a/b', 'a/c/d', 'b b', 'users/alice/1', 'users/bob/1', 'ä&<']

t.test('lists', async (t) => {
  const oss = await startOss(t)
  const s3 = oss.client(OWNER)
  for (const key of [...KEYS].reverse()) oss.bucket.put(key, Buffer.from(key))
  type Want = Readonly<{ keys: readonly string[]; prefixes?: readonly string[]; more?: boolean }>
  const rows: readonly { name: string; input: Record<string, string | number>; want: Want }[] = [
    { name: 'all', input: {}, want: { keys: KEYS } },
    { name: 'below a prefix', input: { Prefix: 'a/' }, want: { keys: ['a/b', 'a/c/d'] } },
    { name: 'the top', input: { Delimiter: '/' }, want: { keys: ['a', 'b b', 'ä&<'], prefixes: ['a/', 'users/'] } },
    {
      name: 'a folder',
      input: { Delimiter: '/', Prefix: 'users/' },
      want: { keys: [], prefixes: ['users/alice/', 'users/bob/'] },
    },
    {
      name: 'a longer delimiter',
      input: { Delimiter: '/c/' },
      want: { keys: KEYS.filter((key) => key !== 'a/c/d'), prefixes: ['a/c/'] },
    },
    { name: 'some', input: { MaxKeys: 2 }, want: { keys: ['a', 'a/b'], more: true } },
    { name: 'none', input: { MaxKeys: 0 }, want: { keys: [] } },
    { name: 'exactly all', input: { MaxKeys: KEYS.length }, want: { keys: KEYS } },
    { name: 'after a key', input: { StartAfter: 'users/alice/1' }, want: { keys: ['users/bob/1', 'ä&<'] } },
    {
      name: 'after the last in a folder',
      input: { StartAfter: 'a/c/d', Delimiter: '/' },
      want: { keys: ['b b', 'ä&<'], prefixes: ['users/'] },
    },
    {
      name: 'after one in a folder',
      input: { StartAfter: 'a/b', Delimiter: '/' },
      want: { keys: ['b b', 'ä&<'], prefixes: ['a/', 'users/'] },
    },
    { name: 'nothing', input: { Prefix: 'z' }, want: { keys: [] } },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      const page = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, ...input }))
      t.strictSame(
        (page.Contents ?? []).map(({ Key }) => Key),
        want.keys,
      )
      t.strictSame(
        (page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
        want.prefixes ?? [],
      )
      t.equal(page.IsTruncated, want.more ?? false)
      t.equal(page.KeyCount, want.keys.length + (want.prefixes ?? []).length)
      for (const { Key, Size } of page.Contents ?? []) t.equal(Size, Buffer.byteLength(Key ?? ''))
    })
  }
  t.test('page by page', async (t) => {
    const entries: (string | undefined)[] = []
    for await (const page of paginateListObjectsV2({ client: s3, pageSize: 1 }, { Bucket: BUCKET, Delimiter: '/' })) {
      entries.push(
        ...(page.Contents ?? []).map(({ Key }) => Key),
        ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
      )
    }
    t.strictSame(entries, ['a', 'a/', 'b b', 'users/', 'ä&<'])
  })
  t.test('page by page, version 1', async (t) => {
    const entries: (string | undefined)[] = []
    let page: ListObjectsCommandOutput | undefined
    do {
      const input = { Bucket: BUCKET, Delimiter: '/', MaxKeys: 1, Marker: page?.NextMarker }
      page = await s3.send(new ListObjectsCommand(input))
      entries.push(
        ...(page.Contents ?? []).map(({ Key }) => Key),
        ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
      )
    } while (page.IsTruncated)
    t.strictSame(entries, ['a', 'a/', 'b b', 'users/', 'ä&<'])
    const rest = await s3.send(new ListObjectsCommand({ Bucket: BUCKET, Marker: 'users/' }))
    t.strictSame(
      rest.Contents?.map(({ Key }) => Key),
      KEYS.slice(4),
    )
    t.equal(rest.Contents?.[0]?.Owner?.ID, '111111111111')
  })
  t.test('URL-encoded', async (t) => {
    const input = { Bucket: BUCKET, EncodingType: 'url', Prefix: 'ä', StartAfter: 'b b' } as const
    const page = await s3.send(new ListObjectsV2Command(input))
    t.match(page, { EncodingType: 'url', Prefix: '%C3%A4', StartAfter: 'b%20b', Contents: [{ Key: '%C3%A4%26%3C' }] })
  })
  t.test('invalid parameters', async (t) => {
    const bad = [{ MaxKeys: -1 }, { ContinuationToken: '!' }, { ContinuationToken: '' }]
    for (const input of bad) {
      t.equal(await outcome(s3.send(new ListObjectsV2Command({ Bucket: BUCKET, ...input }))), '400 InvalidArgument')
    }
    for (const query of [{ 'max-keys': '1e1' }, { 'encoding-type': 'xml' }, { 'list-type': '3' }]) {
      t.equal((await oss.call({ path: `/${BUCKET}`, query })).code, 'InvalidArgument')
    }
  })
})

t.test('keys with control characters stay correct in XML', async (t) => {
  const oss = await startOss(t)
  oss.bucket.put('a\r\n\u0001', Buffer.alloc(0))
  const { text } = await oss.call({ path: `/${BUCKET}` })
  t.match(text, '<Key>a&#xD;&#xA;&#x1;</Key>')
})

const character = fc.constantFrom('a', 'b', '/', '/', 'é', '\uE000', '\uFFFD', '😀')
const keys = fc.uniqueArray(fc.string({ unit: character, minLength: 1, maxLength: 6 }), { maxLength: 30 })

t.test('keys are sorted by their UTF-8 bytes', async () => {
  const text = fc.string({ unit: character })
  fc.assert(
    fc.property(text, text, (a, b) => Math.sign(compareUtf8(a, b)) === Buffer.compare(Buffer.from(a), Buffer.from(b))),
  )
})

t.test('all pages together are the whole list, for any keys', async (t) => {
  const short = fc.string({ unit: character, maxLength: 2 })
  fc.assert(
    fc.property(
      keys,
      short,
      fc.constantFrom('', '/', 'a/'),
      fc.integer({ min: 1, max: 4 }),
      (unsorted, prefix, delimiter, limit) => {
        const sorted = [...unsorted].sort(compareUtf8)
        const want = new Set(
          sorted
            .filter((key) => key.startsWith(prefix))
            .map((key) => {
              const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
              return at < 0 ? `key ${key}` : `prefix ${key.slice(0, at + delimiter.length)}`
            }),
        )
        const got: string[] = []
        let after: string | undefined = ''
        while (after !== undefined) {
          const page = listPage(sorted, { prefix, delimiter, after, limit })
          t.ok(page.keys.length + page.commonPrefixes.length <= limit)
          got.push(...page.keys.map((key) => `key ${key}`), ...page.commonPrefixes.map((key) => `prefix ${key}`))
          after = page.last
        }
        return got.length === want.size && got.every((entry) => want.has(entry))
      },
    ),
  )
})
