import t from 'tap'
import { nearest } from '../../src/lib/nearest.ts'

t.test('the nearest word is at most two edits away, ignoring case', async (t) => {
  const words = ['oss:PutObject', 'oss:GetObject', 'oss:ListBucket']
  const rows = [
    { word: 'oss:PutObject', want: 'oss:PutObject' },
    { word: 'oss:PutObjct', want: 'oss:PutObject' },
    { word: 'OSS:GETOBJECT', want: 'oss:GetObject' },
    { word: 'oss:LstBuckett', want: 'oss:ListBucket' },
    { word: 'oss:List', want: undefined },
    { word: '', want: undefined },
  ]
  for (const { word, want } of rows) t.test(word, async (t) => t.equal(nearest(word, words), want))
})

t.test('a short word is near to little', async (t) => {
  const rows = [
    { word: 'x', words: ['at', 'y'], want: undefined },
    { word: 'or', words: ['at', 'for'], want: 'for' },
    { word: 'org', words: ['sub', 'any'], want: undefined },
    { word: 'aud', words: ['sub'], want: undefined },
    { word: 'subj', words: ['sub'], want: 'sub' },
  ]
  for (const { word, words, want } of rows) t.test(word, async (t) => t.equal(nearest(word, words), want))
})
