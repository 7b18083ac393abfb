-- GET as one user after the other. TOKENS: lines of "path token"; AUTH_PREFIX: what stands before the token in AUTH_FIELD, which is
-- Authorization unless set. REQUEST_HOST: whom to ask for, where it is another than where.
dofile(os.getenv("LOAD_FOLDER") .. "/common.lua")

local made, at = {}, 0

function init()
  for _, entry in ipairs(dealt(os.getenv("TOKENS"), tonumber(os.getenv("THREADS")))) do
    local path, token = entry:match("^(%S+) (%S+)$")
    made[#made + 1] = wrk.format(
      "GET", path, { ["Host"] = os.getenv("REQUEST_HOST"), [os.getenv("AUTH_FIELD") or "Authorization"] = os.getenv("AUTH_PREFIX") .. token })
  end
end

function request()
  at = at % #made + 1
  return made[at]
end
