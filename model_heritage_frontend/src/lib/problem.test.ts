import { expect, test } from 'vitest'

import { describeError, isNotFound, parseProblem } from '@/lib/problem'

test('a problem document becomes an error with its detail and extras', () => {
  const error = parseProblem(
    409,
    JSON.stringify({
      type: '/problems/duplicate-model',
      title: 'This model is already here',
      status: 409,
      detail: "The same file is stored as 'bert-base'.",
      request_id: '5f0c',
      existing_id: 'm_1',
    }),
  )
  expect(error.message).toBe("The same file is stored as 'bert-base'.")
  expect(error).toMatchObject({
    kind: 'duplicate-model',
    title: 'This model is already here',
    requestId: '5f0c',
    existingId: 'm_1',
  })
})

test('an answer that is no problem document still says what is known', () => {
  const error = parseProblem(502, '<html>Bad gateway</html>')
  expect(error.message).toBe('The server answered with status 502')
  expect(error.kind).toBe('unknown')
  expect(error.requestId).toBeNull()
})

test('errors are told apart', () => {
  expect(isNotFound(parseProblem(404, '{}'))).toBe(true)
  expect(isNotFound(new Error('404'))).toBe(false)
  expect(describeError(new Error('broken'))).toBe('broken')
})
