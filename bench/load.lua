-- What wrk asks, and whether each answer is right. The plan is a Lua table in the file that is named after `--`.
-- There are as many connections as threads, and each thread has a state of its own: a chain stays on its connection.

local threads = {}

function setup(thread)
   thread:set("number", #threads)
   table.insert(threads, thread)
end

function init(args)
   plan = dofile(args[1])
   right, wrong, closed, first_wrong = 0, 0, 0, ""
   own, at = {}, 0
   for place, row in ipairs(plan.rows) do
      -- What is only read, all ask with, each beginning elsewhere; a chain is on one connection alone.
      if plan.carries == "" or (place - 1) % plan.threads == number then
         table.insert(own, { credential = row[1], proof = row[2] })
      end
   end
   at = math.floor(#own * number / plan.threads)
end

local function filled(text, credential)
   return text and (text:gsub("{}", credential))
end

local function formatted(row)
   local headers = {}
   for name, value in pairs(plan.headers) do
      headers[name] = filled(value, row.credential)
   end
   return wrk.format(plan.method, plan.path, headers, filled(plan.body, row.credential))
end

function request()
   at = at % #own + 1
   local row = own[at]
   row.text = row.text or formatted(row)
   return row.text
end

local function is_right(row, status, headers, body)
   if status ~= 200 then
      return false
   end
   local where = plan.proof_in == "" and body or headers[plan.proof_in] or ""
   if not where:find(row.proof, 1, true) then
      return false
   end
   if plan.carries == "" then
      return true
   end
   local following = body:match(plan.carries)
   if not following or following == row.credential then
      return false
   end
   row.credential, row.text = following, nil
   return true
end

function response(status, headers, body)
   if (headers["Connection"] or headers["connection"] or "") == "close" then
      closed = closed + 1
   end
   if is_right(own[at], status, headers, body) then
      right = right + 1
   else
      wrong = wrong + 1
      if first_wrong == "" then
         first_wrong = status .. " " .. body:sub(1, 300)
      end
   end
end

local function sum(name)
   local all = 0
   for _, thread in ipairs(threads) do
      all = all + thread:get(name)
   end
   return all
end

function done(summary, latency)
   local said = ""
   for _, thread in ipairs(threads) do
      said = said ~= "" and said or thread:get("first_wrong")
   end
   local errors = summary.errors
   io.write(string.format(
      "\n%d %d %d %d %d %.1f %.1f %d\n%s.\n",
      summary.requests, summary.duration, sum("right"), sum("wrong"), sum("closed"),
      latency:percentile(50), latency:percentile(99),
      errors.connect + errors.read + errors.write + errors.timeout, said:gsub("%c", " ")
   ))
end
