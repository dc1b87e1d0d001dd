-- The widget's calls as wrk sends them. CALL is visits, shares, views or follow; TOKENS names a file with a token a line.
-- Every request has a nonce of its own; one visit in five comes with a token.
local counter, thread_number, tokens, sessions = 0, 0, {}, {}

function setup(thread)
  thread_number = thread_number + 1
  thread:set("number", thread_number)
end

local function lines(path)
  local found = {}
  if path then for line in io.lines(path) do found[#found + 1] = line end end
  return found
end

function init()
  math.randomseed(tonumber(os.getenv("SEED")) + number)
  tokens, sessions = lines(os.getenv("TOKENS")), lines(os.getenv("SESSIONS"))
end

local headers = {
  ["Content-Type"] = "text/plain;charset=UTF-8",
  ["Origin"] = os.getenv("ORIGIN"),
  ["Accept-Language"] = "en-US,en;q=0.9",
  ["User-Agent"] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
}
local CHANNELS = '["native","copy","whatsapp","telegram","email","sms","signal","messenger"]'

local function nonce() return string.format("n%03d%012d%06d", number, counter, math.random(0, 999999)) end
local function pick(list) return list[math.random(#list)] end
local function page() return os.getenv("ORIGIN") .. "/articles/" .. math.random(200) end

local calls = {}
function calls.visits()
  local token = math.random(5) == 1 and ',"token":"' .. pick(tokens) .. '"' or ""
  return string.format(
    '{"site":"%s","url":"%s","nonce":"%s","day":"%s","referrer":"https://www.google.com/","title":"An article","channels":%s%s}',
    os.getenv("SITE"), page(), nonce(), os.getenv("DAY"), CHANNELS, token)
end
function calls.shares()
  local number = math.random(#tokens)
  return string.format('{"site":"%s","session":"%s","token":"%s","url":"%s","title":"An article"}',
    os.getenv("SITE"), sessions[number], tokens[number], page())
end
function calls.views()
  return string.format('{"site":"%s","session":"%s","url":"%s","nonce":"%s"}', os.getenv("SITE"), pick(sessions), page(), nonce())
end

function request()
  counter = counter + 1
  local call = os.getenv("CALL")
  if call == "bare" then return wrk.format("GET", "/") end
  if call == "follow" then return wrk.format("GET", "/s/" .. pick(tokens), headers) end
  return wrk.format("POST", "/v1/" .. call, headers, calls[call]())
end
