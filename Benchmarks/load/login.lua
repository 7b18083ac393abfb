-- Logs in as one user after the other. LOGIN: the path; FIELD: the address's name; TOKENS: one address a line; PASSWORD.
dofile(os.getenv("LOAD_FOLDER") .. "/common.lua")

local made, at = {}, 0

function init()
  for _, email in ipairs(dealt(os.getenv("TOKENS"), tonumber(os.getenv("THREADS")))) do
    made[#made + 1] = wrk.format(
      "POST", os.getenv("LOGIN"), { ["Content-Type"] = "application/json" },
      string.format('{"%s":"%s","password":"%s"}', os.getenv("FIELD"), email, os.getenv("PASSWORD")))
  end
end

function request()
  at = at % #made + 1
  return made[at]
end
