-- Requests for wrk, each on a connection of its own, so that none can be repeated unseen; what came of them as a line
-- of JSON.
request = function()
  return wrk.format("GET", "/healthz", { ["Connection"] = "close" })
end

-- Milliseconds before a connection's next request: a load that is constant as long as answers are quick.
delay = function()
  return 6
end

done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"failed":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d,"p50_ms":%.1f,"p99_ms":%.1f,"max_ms":%.1f}\n',
    summary.requests, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
