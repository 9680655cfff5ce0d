-- What wrk sends: `commands` register an organisation each, under a name of their own; `pages` are
-- of a hundred events, from anywhere in the record. Prints one JSON line when it ends.
--
-- Arguments: what, the book's path, the key, a name for the run, the head of the record, and
-- `count` to count the answers by status.

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(args)
  what, path, run, head = args[1], args[2], args[4], tonumber(args[5])
  headers = { ["Authorization"] = "Bearer " .. args[3], ["Content-Type"] = "application/json" }
  sent, done_201, told_later, others = 0, 0, 0, 0
  if args[6] == "count" then response = count end
end

function request()
  sent = sent + 1
  if what == "pages" then
    local after = (number * 7919 + sent * 104729) % head
    return wrk.format("GET", path .. "/events?limit=100&after=" .. after, headers)
  end
  local name = run .. "-" .. number .. "-" .. sent
  headers["Idempotency-Key"] = name
  local body = '{"name":"Organisation ' .. name .. '","country":"Japan","reference":"' .. name .. '"}'
  return wrk.format("POST", path .. "/organisations", headers, body)
end

function count(status)
  if status == 201 then
    done_201 = done_201 + 1
  elseif status == 429 or status == 503 then
    told_later = told_later + 1
  else
    others = others + 1
  end
end

function done(summary, latency, requests)
  local sums = { done_201 = 0, told_later = 0, others = 0 }
  for _, thread in ipairs(threads) do
    for name, sum in pairs(sums) do sums[name] = sum + thread:get(name) end
  end
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%f,"p50_us":%f,"p99_us":%f,"longest_us":%f,"refused":%d,' ..
    '"broken":%d,"made":%d,"told_later":%d,"others":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    latency.max, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    sums.done_201, sums.told_later, sums.others))
end
