-- Sends prepared tool calls in turn and checks every response; of the echo, its status only.
-- Arguments after `--`: a Lua file with the plan (see `Plan` in wrk.py), and a file of tokens, one a
-- line. Each request takes the next body and the token that the plan's order says.

local plan, requests, tokens
local next_request, next_token, responses = 0, 0, 0
-- For each token, the sum of its weight and of those before it.
local weights
failed, first_failure = 0, ""

local check, check_each, draw

function init(arguments)
  plan = dofile(arguments[1])
  requests, tokens = {}, {}
  for token in io.lines(arguments[2]) do
    tokens[#tokens + 1] = token
  end
  for number, body in ipairs(plan.bodies) do
    local head, rest = wrk.format("POST", plan.path, plan.headers, body):match("^(.-)@TOKEN@(.*)$")
    requests[number] = { head, rest }
    if #tokens == 1 then
      requests[number] = head .. tokens[1] .. rest
    end
  end
  -- Without it, wrk does not copy the bodies of responses.
  if plan.failure ~= "" then
    response = check
  end
  if plan.order == "each" then
    response = check_each
  elseif plan.order == "zipf" then
    weights = { 1 }
    for number = 2, #tokens do
      weights[number] = weights[number - 1] + 1 / number
    end
  end
  if plan.delay > 0 then
    function delay()
      return math.random(0, 2 * plan.delay)
    end
  end
end

function request()
  next_request = next_request % #requests + 1
  local request = requests[next_request]
  if #tokens == 1 then
    return request
  end
  next_token = weights and draw() or next_token % #tokens + 1
  return request[1] .. tokens[next_token] .. request[2]
end

draw = function()
  local weight = math.random() * weights[#weights]
  local low, high = 1, #weights
  while low < high do
    local middle = math.floor((low + high) / 2)
    if weights[middle] < weight then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

local function is_success(status, body)
  return status == 200
    and #body >= plan.shortest and #body <= plan.longest
    and body:find(plan.success, 1, true)
    and not body:find(plan.failure, 1, true)
end

check = function(status, headers, body)
  if not is_success(status, body) then
    failed = failed + 1
    if first_failure == "" then
      first_failure = status .. " " .. body:sub(1, 500)
    end
  end
end

check_each = function(status, headers, body)
  check(status, headers, body)
  responses = responses + 1
  if responses == #tokens then
    print("EACH " .. failed .. " " .. first_failure)
    io.flush()
    wrk.thread:stop()
  end
end

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  print(("RESULT %d %d %d %d %d %d"):format(
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    math.max(threads[1]:get("failed"), errors.status), broken))
  print("FAILURE " .. threads[1]:get("first_failure"):gsub("%s+", " "))
end
