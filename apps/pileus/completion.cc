#include "completion.h"

namespace pileus::cli {
namespace {

constexpr std::string_view kBash = R"script(# pileus: completion for bash
_pileus() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=
  case $prev in
    --ssh-key|--user-data|--kernel|--initrd|--module|--firmware|--cdrom) mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return ;;
    --engine) words='auto bt kvm' ;;
    --paravirt|--direct) words='on off' ;;
    --disk-bus) words='virtio sata' ;;
    --cpu) words=$(pileus cpu ls --quiet 2>/dev/null) ;;
    *)
      case $COMP_CWORD,${COMP_WORDS[1]},${COMP_WORDS[2]} in
        1,*) words='up status down join run wait ps show ssh console logs stop start reboot rm clone migrate events explain key secgroup volume snapshot host type account env web image vm cpu completion --help --version' ;;
        2,key,*) words='ls import rm' ;;
        2,secgroup,*) words='ls create allow deny rm' ;;
        2,volume,*) words='ls show create attach detach resize rm' ;;
        3,volume,ls|3,snapshot,ls) words='--json --quiet' ;;
        3,volume,create) words='--size --from --zone' ;;
        4,volume,attach) words=$(pileus ps --quiet 2>/dev/null) ;;
        3,volume,*|3,snapshot,create) words=$(pileus volume ls --quiet 2>/dev/null) ;;
        2,snapshot,*) words='ls create rm' ;;
        3,snapshot,rm) words=$(pileus snapshot ls --quiet 2>/dev/null) ;;
        4,image,create) words=$(pileus ps --quiet 2>/dev/null) ;;
        2,host,*) words='ls maintenance active set token' ;;
        *,host,set) words='--vcpus --memory --disk --reserve --rack' ;;
        3,host,token) words='create ls revoke' ;;
        *,host,token) words='--expires --once --json' ;;
        2,type,*) words='ls set rm' ;;
        *,type,set) words='--vcpus --memory --disk' ;;
        2,account,*) words='ls create set key' ;;
        3,account,key) words='create rm' ;;
        *,account,create|*,account,set) words='--max-instances --max-vcpus --max-volume-gib --max-snapshots --access-key --secret-key --administrator --json' ;;
        2,env,*) words='sh awscli boto3 ansible libcloud terraform packer' ;;
        *,run,*) words="--name --type --key --secgroup --allow --disk --user-data --count --no-wait --quiet --json
            $(pileus image ls --quiet 2>/dev/null)" ;;
        *,clone,*) words="--name --type --key --count --no-wait --quiet --json $(pileus ps --quiet 2>/dev/null)" ;;
        *,migrate,*) words="--to --reboot --cancel --no-wait --json $(pileus ps --quiet 2>/dev/null)" ;;
        *,up,*) words='--detach --port --simulate' ;;
        *,ps,*) words='--all --json --quiet' ;;
        *,wait,*|*,show,*|*,ssh,*|*,console,*|*,logs,*|*,stop,*|*,start,*|*,reboot,*|*,rm,*|*,events,*|*,explain,*) words=$(pileus ps --quiet 2>/dev/null) ;;
        2,vm,*) words='run start wait ls show ssh console stop kill reset rm stats profile disk' ;;
        2,image,*) words='build create import export tasks ls show rm' ;;
        2,cpu,*) words='ls' ;;
        *,cpu,ls) words='--json --quiet' ;;
        2,completion,*) words='bash zsh fish' ;;
        *,vm,run)
          words="--name --cpus --memory --translation-cache --translation-cache-file --disk-size --engine --cpu --paravirt --direct --ssh-key --user-data
            --user --forward --restrict-network --kernel --initrd --module --legacy-devices --firmware --cdrom --disk-bus --exit-port --append --gdb --gdb-wait --console --detach --help"
          if [[ $cur != -* ]]; then
            words=$(pileus image ls --quiet 2>/dev/null)
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur"; compgen -f -- "$cur")
            return
          fi ;;
        *,vm,ls) words='--json --quiet' ;;
        3,vm,disk) words='attach detach ls resize snapshot rm' ;;
        4,vm,disk) [[ ${COMP_WORDS[3]} == rm ]] && words=$(pileus vm disk ls --quiet 2>/dev/null) ||
            words=$(pileus vm ls --quiet 2>/dev/null) ;;
        *,vm,disk) words="root --size --read-only --force --timeout --json $(pileus vm disk ls --quiet 2>/dev/null)" ;;
        3,vm,*) words=$(pileus vm ls --quiet 2>/dev/null) ;;
        *,vm,rm) words='--force' ;;
        *,vm,start) words='--gdb --gdb-wait' ;;
        *,vm,stop) words='--timeout --force' ;;
        *,vm,wait) words='--timeout' ;;
        *,vm,profile) words='--seconds --output --json' ;;
        *,vm,console) words='--virtio' ;;
        *,vm,show|*,vm,stats) words='--json' ;;
        3,image,build) words='debian-11 debian-12 debian-12-programs debian-13 debian-sid --allow-expired' ;;
        *,image,ls) words='--json --quiet --cloud' ;;
        3,image,import) words="--name --format --host --description --no-wait $(compgen -f -- "$word")" ;;
        3,image,export) words=$(pileus image ls --cloud --quiet 2>/dev/null) ;;
        *,image,export) words='--format' ;;
        3,image,*) words=$(pileus image ls --quiet 2>/dev/null) ;;
        *,image,show) words='--json' ;;
      esac ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _pileus pileus
)script";

// zsh reads bash's completion functions, but not mapfile.
constexpr std::string_view kZsh = R"script(#compdef pileus
_pileus() {
  local -a found
  case $CURRENT,$words[2],$words[3] in
    2,*) found=(up status down join run wait ps show ssh console logs stop start reboot rm clone migrate events explain key secgroup volume snapshot host type account env web image vm cpu completion) ;;
    3,key,*) found=(ls import rm) ;;
    3,secgroup,*) found=(ls create allow deny rm) ;;
    3,volume,*) found=(ls show create attach detach resize rm) ;;
    4,volume,ls|4,snapshot,ls) found=(--json --quiet) ;;
    4,volume,create) found=(--size --from --zone) ;;
    5,volume,attach|5,image,create) found=(${(f)"$(pileus ps --quiet 2>/dev/null)"}) ;;
    4,volume,*|4,snapshot,create) found=(${(f)"$(pileus volume ls --quiet 2>/dev/null)"}) ;;
    3,snapshot,*) found=(ls create rm) ;;
    4,snapshot,rm) found=(${(f)"$(pileus snapshot ls --quiet 2>/dev/null)"}) ;;
    3,host,*) found=(ls maintenance active set token) ;;
    *,host,set) found=(--vcpus --memory --disk --reserve --rack) ;;
    4,host,token) found=(create ls revoke) ;;
    *,host,token) found=(--expires --once --json) ;;
    3,type,*) found=(ls set rm) ;;
    *,type,set) found=(--vcpus --memory --disk) ;;
    3,account,*) found=(ls create set key) ;;
    4,account,key) found=(create rm) ;;
    3,env,*) found=(sh awscli boto3 ansible libcloud terraform packer) ;;
    *,run,*) found=(${(f)"$(pileus image ls --quiet 2>/dev/null)"} --name --type --key --secgroup --allow --disk
      --user-data --count --no-wait --quiet --json) ;;
    *,clone,*) found=(${(f)"$(pileus ps --quiet 2>/dev/null)"} --name --type --key --count --no-wait --quiet --json) ;;
    *,migrate,*) found=(${(f)"$(pileus ps --quiet 2>/dev/null)"} --to --reboot --cancel --no-wait --json) ;;
    *,wait,*|*,show,*|*,ssh,*|*,console,*|*,logs,*|*,stop,*|*,start,*|*,reboot,*|*,rm,*|*,events,*|*,explain,*) found=(${(f)"$(pileus ps --quiet 2>/dev/null)"}) ;;
    3,cpu,*) found=(ls) ;;
    3,vm,*) found=(run start wait ls show ssh console stop kill reset rm stats profile disk) ;;
    3,image,*) found=(build create import export tasks ls show rm) ;;
    3,completion,*) found=(bash zsh fish) ;;
    *,vm,run)
      found=(${(f)"$(pileus image ls --quiet 2>/dev/null)"} --name --cpus --memory --translation-cache --translation-cache-file
        --disk-size --engine --cpu --paravirt --direct --ssh-key --user-data --user --forward --restrict-network --kernel --initrd --module --legacy-devices --firmware --cdrom --disk-bus --exit-port --append --gdb --gdb-wait --console --detach)
      _files ;;
    *,vm,ls) found=(--json --quiet) ;;
    *,image,ls) found=(--json --quiet --cloud) ;;
    4,vm,disk) found=(attach detach ls resize snapshot rm) ;;
    5,vm,disk) found=(${(f)"$(pileus vm ls --quiet 2>/dev/null; pileus vm disk ls --quiet 2>/dev/null)"}) ;;
    *,vm,disk) found=(root --size --read-only --force --timeout --json
      ${(f)"$(pileus vm disk ls --quiet 2>/dev/null)"}) ;;
    4,vm,*) found=(${(f)"$(pileus vm ls --quiet 2>/dev/null)"}) ;;
    4,image,build) found=(debian-11 debian-12 debian-12-programs debian-13 debian-sid --allow-expired) ;;
    4,image,*) found=(${(f)"$(pileus image ls --quiet 2>/dev/null)"}) ;;
  esac
  compadd -- $found
}
compdef _pileus pileus
)script";

constexpr std::string_view kFish = R"script(# pileus: completion for fish
function __pileus_at
  set -l words (commandline -opc)
  test "$words[2..-1]" = "$argv"
end
complete -c pileus -n '__pileus_at' -f -a 'up status down join run wait ps show ssh console logs stop start reboot rm clone migrate events explain key secgroup volume snapshot host type account env web image vm cpu completion'
complete -c pileus -n '__pileus_at key' -f -a 'ls import rm'
complete -c pileus -n '__pileus_at secgroup' -f -a 'ls create allow deny rm'
complete -c pileus -n '__pileus_at volume' -f -a 'ls show create attach detach resize rm'
complete -c pileus -n '__pileus_at snapshot' -f -a 'ls create rm'
for command in show attach detach resize rm
  complete -c pileus -n "__pileus_at volume $command" -f -a '(pileus volume ls --quiet 2>/dev/null)'
end
complete -c pileus -n '__pileus_at snapshot create' -f -a '(pileus volume ls --quiet 2>/dev/null)'
complete -c pileus -n '__pileus_at snapshot rm' -f -a '(pileus snapshot ls --quiet 2>/dev/null)'
complete -c pileus -n '__pileus_at host' -f -a 'ls maintenance active set token'
complete -c pileus -n '__pileus_at host token' -f -a 'create ls revoke'
complete -c pileus -n '__pileus_at type' -f -a 'ls set rm'
complete -c pileus -n '__pileus_at account' -f -a 'ls create set key'
complete -c pileus -n '__pileus_at account key' -f -a 'create rm'
complete -c pileus -n '__pileus_at env' -f -a 'sh awscli boto3 ansible libcloud terraform packer'
complete -c pileus -n '__pileus_at run' -f -a '(pileus image ls --quiet 2>/dev/null)'
for command in wait show ssh console logs stop start reboot rm clone migrate events explain
  complete -c pileus -n "__pileus_at $command" -f -a '(pileus ps --quiet 2>/dev/null)'
end
complete -c pileus -n '__pileus_at cpu' -f -a ls
complete -c pileus -n '__pileus_at vm' -f \
  -a 'run start wait ls show ssh console stop kill reset rm stats profile disk'
complete -c pileus -n '__pileus_at vm disk' -f -a 'attach detach ls resize snapshot rm'
complete -c pileus -n '__fish_seen_subcommand_from disk' -f \
  -a '(pileus vm ls --quiet 2>/dev/null; pileus vm disk ls --quiet 2>/dev/null)'
complete -c pileus -n '__fish_seen_subcommand_from attach' -x -l size
complete -c pileus -n '__fish_seen_subcommand_from attach' -l read-only
complete -c pileus -n '__fish_seen_subcommand_from detach' -l force
complete -c pileus -n '__pileus_at image' -f -a 'build create import export tasks ls show rm'
complete -c pileus -n '__pileus_at completion' -f -a 'bash zsh fish'
complete -c pileus -n '__pileus_at vm run' -a '(pileus image ls --quiet 2>/dev/null)'
complete -c pileus -n '__pileus_at image build' -f -a 'debian-11 debian-12 debian-12-programs debian-13 debian-sid --allow-expired'
for command in start wait show ssh console stop kill reset rm stats profile
  complete -c pileus -n "__pileus_at vm $command" -f -a '(pileus vm ls --quiet 2>/dev/null)'
end
for command in show rm
  complete -c pileus -n "__pileus_at image $command" -f -a '(pileus image ls --quiet 2>/dev/null)'
end
for option in name cpus memory translation-cache disk-size disk-bus engine cpu paravirt direct user forward append
  complete -c pileus -n '__fish_seen_subcommand_from run' -x -l $option
end
for option in translation-cache-file ssh-key user-data kernel initrd module firmware cdrom
  complete -c pileus -n '__fish_seen_subcommand_from run' -r -l $option
end
complete -c pileus -n '__fish_seen_subcommand_from run' -l console
complete -c pileus -n '__fish_seen_subcommand_from run' -l detach
complete -c pileus -n '__fish_seen_subcommand_from run' -l restrict-network
complete -c pileus -n '__fish_seen_subcommand_from run' -l exit-port
complete -c pileus -n '__fish_seen_subcommand_from run' -l legacy-devices
complete -c pileus -n '__fish_seen_subcommand_from console' -l virtio
complete -c pileus -n '__fish_seen_subcommand_from run start' -x -l gdb
complete -c pileus -n '__fish_seen_subcommand_from run start' -l gdb-wait
complete -c pileus -n '__fish_seen_subcommand_from stop' -l force
for option in name type key count
  complete -c pileus -n '__fish_seen_subcommand_from clone' -x -l $option
end
complete -c pileus -n '__fish_seen_subcommand_from migrate' -x -l to
for option in reboot cancel
  complete -c pileus -n '__fish_seen_subcommand_from migrate' -l $option
end
for option in no-wait json
  complete -c pileus -n '__fish_seen_subcommand_from clone migrate' -l $option
end
complete -c pileus -n '__fish_seen_subcommand_from profile' -x -l seconds
complete -c pileus -n '__fish_seen_subcommand_from profile' -r -s o -l output
)script";

}  // namespace

std::string_view completion_script(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return {};
}

}  // namespace pileus::cli
