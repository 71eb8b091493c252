-- wrk script: BATCH messages of about 1.9 KB a request, key from the environment; prints messages a second, not requests.
local batch = tonumber(os.getenv("BATCH") or "1000")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("API_KEY")
local paragraph = "<p>Dear patient, your results of the visit are ready; please read the note in the portal.</p>"
local parts = {}
for n = 1, batch do
  parts[n] = '{"from": "clinic@src.bench.invalid", "to": ["pat' .. n .. '@d0.bench.invalid"], "subject": "Your results", '
    .. '"html": "' .. string.rep(paragraph, 18) .. '", "tags": ["a", "b"], "metadata": {"visit": "' .. n .. '"}}'
end
wrk.body = '{"messages": [' .. table.concat(parts, ", ") .. ']}'
done = function(s, l, r)
  io.write(string.format("%.0f req/s p50 %.2f ms p99 %.2f ms errors %d non2xx %d\n",
    s.requests * batch / (s.duration / 1e6), l:percentile(50) / 1000, l:percentile(99) / 1000,
    s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout, s.errors.status))
end
