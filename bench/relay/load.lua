-- Posts JSON as a page's fetch does, for so many users in turn; prints one line of JSON at the end.
-- wrk … -s load.lua URL -- <relay|express|login> <users> <api key, of login only>

local requests = {}
local next_request = 0

function init(args)
  local bodies = {
    relay = '{"profile":"default"}',
    express = '{"clientid":"user-%d"}',
    login = '{"userid":"builder","appid":"orders-app","expiresIn":"10m","clientid":"user-%d"}',
  }
  for user = 1, tonumber(args[2]) do
    local headers = {
      ["Host"] = wrk.host .. ":" .. wrk.port,
      ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
      ["Accept"] = "*/*",
      ["Accept-Language"] = "en-GB,en;q=0.9",
      ["Accept-Encoding"] = "gzip, deflate, br, zstd",
      ["Content-Type"] = "application/json",
      ["Origin"] = "http://" .. wrk.host .. ":" .. wrk.port,
      ["Referer"] = "http://" .. wrk.host .. ":" .. wrk.port .. "/reports",
      ["Sec-Fetch-Dest"] = "empty",
      ["Sec-Fetch-Mode"] = "cors",
      ["Sec-Fetch-Site"] = "same-origin",
      ["Cookie"] = "session=5f3a91c07be24d0f9a6d2c1be8f7a431",
      ["X-User"] = "user-" .. user,
      ["X-Tenant"] = "tenant-" .. (user % 50),
    }
    if args[1] == "login" then
      headers["X-Api-Key"] = args[3]
    end
    requests[user] = wrk.format("POST", nil, headers, string.format(bodies[args[1]], user))
  end
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"duration_us":%d,"failed":%d,"p50_us":%d,"p99_us":%d}\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
