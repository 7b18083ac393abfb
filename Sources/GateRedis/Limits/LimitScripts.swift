import GateCore
import GateCrypto

/// A Lua script, and the name that the server knows it by once it has seen it.
struct RedisScript: Sendable {
    let source: String
    /// SHA-1 of the source in hexadecimal: what EVALSHA takes.
    let name: String

    init(_ source: String) {
        self.source = source
        name = Hex.encode(SHA1.hash(Array(source.utf8)))
    }
}

extension RedisScript {
    /// Decides about everything that applies to one request at once, and charges it: a sliding window log for each policy and subject.
    ///
    /// `KEYS`: a sorted set each, of admissions by their time in microseconds of the server's clock. `ARGV`: a name for the admission
    /// that no other has, then limit and window (in microseconds) for each key. A key that occurs twice is charged once.
    ///
    /// The reply: 1 where all were charged, 0 where none was; then for each key how many admissions its window holds now, and in
    /// how many microseconds the one leaves that has to before another is admitted (or the oldest, where that is now).
    ///
    /// A set ends with the window of its youngest admission. Where the server's clock was set back, a set's times are moved with it: its
    /// subject waits as long as it would have.
    static let decide = RedisScript(
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local exact = function(number) return string.format('%.0f', number) end
        local used, open = {}, true
        for i, key in ipairs(KEYS) do
          local limit, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
          local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
          if oldest[2] then
            if tonumber(oldest[2]) > now then
              local all = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
              local ahead = all[#all] - now
              for j = 1, #all, 2 do redis.call('ZADD', key, exact(all[j + 1] - ahead), all[j]) end
              redis.call('PEXPIRE', key, math.ceil(window / 1000) + 1)
            elseif tonumber(oldest[2]) <= now - window then
              redis.call('ZREMRANGEBYSCORE', key, '-inf', exact(now - window))
            end
            used[i] = redis.call('ZCARD', key)
          else
            used[i] = 0
          end
          if used[i] >= limit then open = false end
        end
        local charged = {}
        if open then
          for i, key in ipairs(KEYS) do
            if not charged[key] then
              charged[key] = true
              redis.call('ZADD', key, exact(now), ARGV[1])
              redis.call('PEXPIRE', key, math.ceil(ARGV[2 * i + 1] / 1000) + 1)
            end
          end
        end
        local reply = { open and 1 or 0 }
        for i, key in ipairs(KEYS) do
          local limit, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
          local place = 0
          if charged[key] then used[i] = used[i] + 1
          elseif used[i] >= limit then place = used[i] - limit end
          local wait = 0
          if used[i] > 0 then
            local leaving = redis.call('ZRANGE', key, place, place, 'WITHSCORES')
            if leaving[2] then wait = leaving[2] + window - now end
          end
          reply[2 * i], reply[2 * i + 1] = used[i], wait
        end
        return reply
        """)

    /// How sets stand, without changing any. `KEYS` as above, `ARGV`: the window for each. The reply: admissions inside the window, and in how
    /// many microseconds the oldest leaves, for each key.
    static let examine = RedisScript(
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local reply = {}
        for i, key in ipairs(KEYS) do
          local first = '(' .. string.format('%.0f', now - ARGV[i])
          local oldest = redis.call('ZRANGEBYSCORE', key, first, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
          reply[2 * i - 1] = redis.call('ZCOUNT', key, first, '+inf')
          reply[2 * i] = oldest[2] and oldest[2] + ARGV[i] - now or 0
        end
        return reply
        """)
}
