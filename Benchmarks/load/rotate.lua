-- Keeps refreshing: every answer's token is the next request's. TOKENS: one token a line, more than there are connections.
-- REQUEST_HOST as in bearer.lua. KIND: gatehouse (the token in the body) or pocketbase (in Authorization).
dofile(os.getenv("LOAD_FOLDER") .. "/common.lua")

local pool, first, last = {}, 1, 0
local pocketbase = os.getenv("KIND") == "pocketbase"
local pattern = pocketbase and '"token":"([^"]+)"' or '"refresh_token":"([^"]+)"'

local function put(token)
  last = last + 1
  pool[last] = token
end

function init()
  for _, token in ipairs(dealt(os.getenv("TOKENS"), tonumber(os.getenv("THREADS")))) do put(token) end
end

function request()
  local token = assert(pool[first], "more connections than tokens")
  pool[first] = nil
  first = first + 1
  if pocketbase then
    return wrk.format("POST", "/api/collections/users/auth-refresh", { ["Authorization"] = token })
  end
  return wrk.format(
    "POST", "/api/v1/auth/refresh", { ["Host"] = os.getenv("REQUEST_HOST"), ["Content-Type"] = "application/json" }, '{"refresh_token":"' .. token .. '"}')
end

function response(status, headers, body)
  local token = body:match(pattern)
  if token then put(token) end
end
