import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import '@/index.css'
import type { ReportData } from '@/report/heritage'
import { ReportPage } from '@/report/report'
import { reportWords } from '@/strings/report'

const root = document.getElementById('root')
const embedded = document.getElementById('heritage')?.textContent ?? 'null'
const data = JSON.parse(embedded) as ReportData | null
if (!root) throw new Error('report.html has no #root')

createRoot(root).render(
  <StrictMode>{data ? <ReportPage data={data} /> : <p>{reportWords.empty}</p>}</StrictMode>,
)
