#include "host/service.h"

#include "base/log.h"
#include "host/capacity.h"
#include "host/usage.h"

namespace pileus::host {
namespace {

constexpr std::chrono::milliseconds kLook{500};   // at VMs, without news from the cloud
constexpr std::chrono::milliseconds kSoon{50};    // after something was done
constexpr std::chrono::milliseconds kRetry{1000};  // when the cloud cannot be reached
constexpr std::chrono::milliseconds kReport{4000};

}  // namespace

Service::Service(CloudLink& cloud, Agent& agent, HostDisks& disks, model::HostObserved capacity)
    : cloud_(cloud),
      agent_(agent),
      disks_(disks),
      capacity_(std::move(capacity)),
      console_tails_(agent.instances()),
      listener_([this] { listen(); }),
      actor_([this] { act(); }),
      keeper_([this] { keep_alive(); }),
      consoles_(cloud, agent.instances()) {}

Service::~Service() {
  {
    const std::lock_guard lock(mutex_);  // so that nobody begins to wait after he has looked
    ended_ = true;
  }
  cloud_.cancel();
  woken_.notify_all();
  listener_.join();
  actor_.join();
  keeper_.join();
}

bool Service::rest(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, time, [this] { return ended_.load(); });
  return !ended_;
}

bool Service::rest_until_report() {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, kReport, [this] { return ended_ || report_due_; });
  report_due_ = false;
  return !ended_;
}

void Service::listen() {
  while (!ended_) {
    Result<control::Assignments> list = cloud_.next_assignments();
    if (list) {
      const std::lock_guard lock(mutex_);
      news_ = std::move(list).value();
      woken_.notify_all();
      continue;
    }
    if (ended_) return;
    log::warn("the cloud's wishes: {}", list.error().message());
    if (!rest(kRetry)) return;
  }
}

void Service::act() {
  std::optional<control::Assignments> assignments;
  std::chrono::milliseconds pause = kLook;
  while (!ended_) {
    bool news = false;
    {
      std::unique_lock lock(mutex_);
      woken_.wait_for(lock, pause, [this] { return ended_ || news_.has_value(); });
      news = news_.has_value();
      if (news) assignments = std::exchange(news_, {});
    }
    if (ended_) return;
    // Nothing is touched before the cloud has said what it wants.
    if (!assignments) continue;
    {
      const std::lock_guard lock(agent_mutex_);
      pause = agent_.step(*assignments, news, std::chrono::steady_clock::now()) ? kSoon : kLook;
    }
    if (!disks_.take_news()) continue;
    const std::lock_guard lock(mutex_);
    report_due_ = true;
    woken_.notify_all();
  }
}

void Service::keep_alive() {
  do {
    control::HostReport report;
    capacity_.disk_full = is_disk_full(agent_.instances(), capacity_.disk_full);
    report.observed = capacity_;
    {
      const std::lock_guard lock(agent_mutex_);
      disks_.fill_in(report);
    }
    report.consoles = console_tails_.changed();
    report.usage = measure_usage(agent_.instances(), agent_.network());
    const Result<control::ReportAnswer> answer = cloud_.report(report);
    if (!answer) log::warn("the report to the cloud: {}", answer.error().message());
    if (!answer || !console_tails_.told(answer->manager)) continue;
    const std::lock_guard lock(mutex_);
    report_due_ = true;
  } while (rest_until_report());
}

}  // namespace pileus::host
