export function Footer() {
  return (
    <footer className="border-t">
      <div className="text-muted-foreground mx-auto flex max-w-6xl flex-wrap justify-between gap-x-6 gap-y-2 px-4 py-6 text-sm sm:px-6">
        <p>Model Heritage reads family trees from weights. Names are never trusted.</p>
        <a className="hover:text-foreground underline-offset-4 hover:underline" href="/api/docs">
          API documentation
        </a>
      </div>
    </footer>
  )
}
