import { useQuery } from '@tanstack/react-query'
import { lazy } from 'react'

import { ErrorState, Loading } from '@/components/states'
import { Skeleton } from '@/components/ui/skeleton'
import { distributionsQuery } from '@/hooks/queries'
import { formatBytes, formatNumber, formatPercent } from '@/lib/format'
import type { LakeDistributions } from '@/lib/types'
import { statisticsWords as words } from '@/strings/statistics'

import { nameBin, nameParameters, nameTime, summariseCalibration, trim } from '../bins'
import { Figure } from './figure'
import { StorageCard } from './storage-card'

const ColumnChart = lazy(async () => ({ default: (await import('./charts')).ColumnChart }))
const CalibrationChart = lazy(async () => ({
  default: (await import('./charts')).CalibrationChart,
}))

function ArrivalsFigure({ arrivals }: { arrivals: LakeDistributions['arrivals'] }) {
  const { unit, counts } = arrivals
  const columns = counts.map(({ start, models }) => ({
    label: nameTime(start, unit),
    value: models,
  }))
  const total = counts.reduce((sum, { models }) => sum + models, 0)
  return (
    <Figure
      className="lg:col-span-2 min-[137.5rem]:col-span-3"
      title={words.arrivals.title}
      summary={words.arrivals.summary(total, counts.length, unit)}
      head={[words.arrivals[unit], words.arrivals.models]}
      rows={counts.map(({ start, models }) => [
        unit === 'day' ? start : start.slice(0, 7),
        formatNumber(models),
      ])}
    >
      <ColumnChart columns={columns} name={words.arrivals.models} />
    </Figure>
  )
}

function ConfidenceFigure({ bins }: { bins: LakeDistributions['confidence'] }) {
  const edges = bins.reduce((sum, bin) => sum + bin.edges, 0)
  const right = bins.reduce((sum, bin) => sum + bin.expected_right, 0)
  return (
    <Figure
      title={words.confidence.title}
      summary={words.confidence.summary(right, edges)}
      head={[words.confidence.bin, words.confidence.edges, words.confidence.expected]}
      rows={bins.map((bin, place) => [
        nameBin(place),
        formatNumber(bin.edges),
        bin.expected_right.toFixed(1),
      ])}
    >
      <ColumnChart
        columns={bins.map((bin, place) => ({ label: nameBin(place), value: bin.edges }))}
        name={words.confidence.edges}
      />
    </Figure>
  )
}

function CalibrationFigure({ bins }: { bins: LakeDistributions['calibration'] }) {
  const points = bins.flatMap(({ edges, right, mean_confidence: confidence }) =>
    confidence === null ? [] : [{ confidence, right: right / edges, edges }],
  )
  return (
    <Figure
      title={words.calibration.title}
      summary={`${summariseCalibration(bins)} ${words.calibration.perfect}`}
      head={[
        words.calibration.bin,
        words.calibration.mean,
        words.calibration.right,
        words.calibration.of,
      ]}
      rows={bins.map((bin, place) => [
        nameBin(place),
        bin.mean_confidence === null ? '–' : formatPercent(bin.mean_confidence),
        formatNumber(bin.right),
        formatNumber(bin.edges),
      ])}
    >
      <CalibrationChart
        points={points}
        names={{
          confidence: words.calibration.mean,
          right: words.calibration.share,
          edges: words.calibration.of,
        }}
      />
    </Figure>
  )
}

function ParametersFigure({ bins }: { bins: LakeDistributions['parameters'] }) {
  return (
    <Figure
      title={words.parameters.title}
      head={[words.parameters.bin, words.parameters.models]}
      rows={bins.map((bin) => [nameParameters(bin), formatNumber(bin.models)])}
    >
      <ColumnChart
        columns={bins.map((bin) => ({ label: nameParameters(bin), value: bin.models }))}
        name={words.parameters.models}
      />
    </Figure>
  )
}

function SizesFigure({ sizes }: { sizes: LakeDistributions['family_sizes'] }) {
  const bins = trim(sizes, (bin) => bin.families).map((bin) => ({
    label: words.sizes.range(bin.least, bin.below),
    value: bin.families,
  }))
  return (
    <Figure
      title={words.sizes.title}
      head={[words.sizes.bin, words.sizes.families]}
      rows={bins.map(({ label, value }) => [label, formatNumber(value)])}
    >
      <ColumnChart columns={bins} name={words.sizes.families} />
    </Figure>
  )
}

function FormatsFigure({ formats }: { formats: LakeDistributions['formats'] }) {
  return (
    <Figure
      title={words.formats.title}
      head={[words.formats.format, words.formats.models, words.formats.bytes]}
      rows={formats.map(({ format, models, bytes }) => [
        format,
        formatNumber(models),
        formatBytes(bytes),
      ])}
    >
      <ColumnChart
        columns={formats.map(({ format, models }) => ({ label: format, value: models }))}
        name={words.formats.models}
      />
    </Figure>
  )
}

/** How the lake is spread: over time, confidence, size, format, and what of it is superfluous. */
export function Distributions() {
  const query = useQuery(distributionsQuery())
  if (query.isPending) {
    return (
      <Loading label={words.loading}>
        <Skeleton className="h-80 rounded-xl" />
      </Loading>
    )
  }
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />
  const { arrivals, confidence, calibration, storage, parameters, family_sizes, formats } =
    query.data
  return (
    <div className="grid gap-5 lg:grid-cols-2 min-[137.5rem]:grid-cols-3">
      <ArrivalsFigure arrivals={arrivals} />
      <ConfidenceFigure bins={confidence} />
      <CalibrationFigure bins={calibration} />
      <StorageCard storage={storage} />
      <SizesFigure sizes={family_sizes} />
      <ParametersFigure bins={parameters} />
      <FormatsFigure formats={formats} />
    </div>
  )
}
