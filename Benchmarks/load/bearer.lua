-- GET as one user after the other. TOKENS: lines of "path token"; AUTH_PREFIX: what stands before the token in Authorization.
dofile(os.getenv("LOAD_FOLDER") .. "/common.lua")

local made, at = {}, 0

function init()
  for _, entry in ipairs(dealt(os.getenv("TOKENS"), tonumber(os.getenv("THREADS")))) do
    local path, token = entry:match("^(%S+) (%S+)$")
    made[#made + 1] = wrk.format("GET", path, { ["Authorization"] = os.getenv("AUTH_PREFIX") .. token })
  end
end

function request()
  at = at % #made + 1
  return made[at]
end
