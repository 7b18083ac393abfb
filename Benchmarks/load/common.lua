-- Shared by the scripts: reads a file of one entry per line, deals them out to the threads, and reports as one line of JSON.

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

-- The entries of this thread: every COUNT-th line of the file, from its number on.
function dealt(path, count)
  local entries, line_number = {}, 0
  for line in io.lines(path) do
    if line_number % count == number then entries[#entries + 1] = line end
    line_number = line_number + 1
  end
  return entries
end

function done(summary, latency, requests)
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p50_us":%d,"p99_us":%d}\n',
    summary.requests, summary.duration / 1e6, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
