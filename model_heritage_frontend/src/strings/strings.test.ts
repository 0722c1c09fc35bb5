import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

/** Rooms whose words are all in this folder, so that a translation is one folder of files. */
const TRANSLATABLE = [
  'src/app/layout',
  'src/components',
  'src/features/jobs',
  'src/features/models',
  'src/features/settings',
  'src/features/statistics',
  'src/features/upload',
]
/** Of the pages, these compose rooms that are done. */
const PAGES = ['add', 'home', 'jobs', 'model', 'models', 'not-found', 'settings', 'statistics']

/** Attributes that people read or hear. */
const SPOKEN = new Set([
  'title',
  'label',
  'aria-label',
  'alt',
  'placeholder',
  'description',
  'action',
  'content',
  'eyebrow',
])
const WORD = /\p{L}{2}/u

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.tsx') && !file.endsWith('.test.tsx'))
    .map((file) => path.join(folder, file))
}

/** Texts in a component's markup that a reader would see in English whatever the language. */
function listTexts(file: string): string[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(file, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
    ts.ScriptKind.TSX,
  )
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node) && WORD.test(node.text)) found.push(node.text.trim())
    if (
      ts.isJsxAttribute(node) &&
      SPOKEN.has(node.name.getText()) &&
      node.initializer &&
      ts.isStringLiteral(node.initializer) &&
      WORD.test(node.initializer.text)
    ) {
      found.push(node.initializer.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found.map((text) => `${file}: ${text}`)
}

test('markup holds no words of its own', () => {
  const pages = PAGES.map((page) => `src/app/pages/${page}.tsx`)
  const files = [...TRANSLATABLE.flatMap(listFiles), ...pages]
  expect(files.length).toBeGreaterThan(60)
  expect(files.flatMap(listTexts)).toEqual([])
})
