import { QueryClientProvider } from '@tanstack/react-query'
import { ThemeProvider } from 'next-themes'
import { RouterProvider } from 'react-router'
import { useState } from 'react'

import { makeQueryClient } from '@/app/query-client'
import { makeRouter } from '@/app/router'

export function App() {
  const [client] = useState(makeQueryClient)
  const [router] = useState(makeRouter)
  return (
    <ThemeProvider
      attribute="class"
      defaultTheme="system"
      disableTransitionOnChange
      // public/theme.js has set the class already; React would warn of a script that never runs.
      scriptProps={{ type: 'application/json' }}
    >
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ThemeProvider>
  )
}
