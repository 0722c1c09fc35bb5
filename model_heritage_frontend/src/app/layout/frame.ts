/** How wide the pages are: on large screens there is more to see, not more margin. */
export const FRAME =
  'mx-auto w-full max-w-6xl px-4 sm:px-6 2xl:max-w-[90rem] min-[137.5rem]:max-w-[118rem]'
