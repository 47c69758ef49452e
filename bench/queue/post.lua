-- For wrk: POST /analyze/transcript with the tokens of the file named behind `--`, one user after the other.
local requests = {}
local at = 0

function init(arguments)
  local body = arguments[2]
  for token in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format('POST', '/analyze/transcript', {
      ['Authorization'] = 'Bearer ' .. token,
      ['Content-Type'] = 'application/json',
    }, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
